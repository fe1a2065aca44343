// SPDX-License-Identifier: GPL-3.0-or-later
#include "bring_in.h"

#include <algorithm>

namespace geometry_transfer {
namespace {

using host::Id;
using host::kNone;

constexpr char kKey[] = "geometry-transfer-brought-in";  // name of a parasite; saved files hold it

}  // namespace

bool from_elsewhere(Id image, Id source, const std::vector<FurtherReference>& further) {
  const auto elsewhere = [image](Id layer) { return layer != kNone && host::image_of(layer) != image; };
  return elsewhere(source) ||
         std::any_of(further.begin(), further.end(), [&](const auto& r) { return elsewhere(static_cast<Id>(r.layer)); });
}

NewLayer brought_in(Id image, const SceneFromLayers::PlacedReference& reference) {
  const Rect& place = reference.extent;
  NewLayer layer(image, host::make_layer(image, host::item_name(reference.layer), place));
  if (!layer) return layer;
  const Id copy = layer.id();
  // Buffers know their colour spaces, so the copy looks the same as the layer.
  gegl_buffer_copy(host::pixels(reference.layer).get(), nullptr, GEGL_ABYSS_NONE, host::pixels(copy).get(), nullptr);
  if (reference.mask != kNone) {
    const Id mask = host::add_mask(copy);
    if (mask == kNone) return NewLayer(image, kNone);
    const GeglRectangle from = {place.x - reference.mask_x, place.y - reference.mask_y, place.width, place.height}, to = {};
    gegl_buffer_copy(host::pixels(reference.mask).get(), &from, GEGL_ABYSS_NONE, host::pixels(mask).get(), &to);
  }
  host::hide(copy);
  host::set_layer_note(copy, kKey, "yes");
  return layer;
}

bool was_brought_in(Id layer) { return !host::layer_note(layer, kKey).empty() && host::layer_mask(layer) != kNone; }

}  // namespace geometry_transfer
