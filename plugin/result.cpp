// SPDX-License-Identifier: GPL-3.0-or-later
#include "result.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "bring_in.h"
#include "host/gegl_raster.h"
#include "host/undo_group.h"
#include "kept_selection.h"
#include "kinds.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

using host::Id;
using host::kNone;

Error no_new_layer() { return error(Error::Kind::system, _("GIMP did not accept a new layer in this image.")); }

/// GIMP stays usable while a transfer runs, so the user may have closed the image or deleted the target.
void check_still_there(const Call& call) {
  const std::vector<Id> images = host::images();
  if (std::find(images.begin(), images.end(), call.image) == images.end())
    throw error(Error::Kind::input,
                _("The image was closed while Geometry Transfer was at work: there is nowhere to put the result."));
  if (!host::is_layer(call.target) || host::image_of(call.target) != call.image)
    throw error(Error::Kind::input, _("The layer was deleted while Geometry Transfer was at work: undo that and call it again."));
}

/// Copies the references of other images for call.image, and lets `settings` point to the copies.
std::vector<NewLayer> copy_references(const Call& call, const SceneFromLayers& layers, Remembered& settings) {
  std::vector<NewLayer> copies;
  const auto& references = layers.placed_references();
  for (size_t i = 0; i < references.size(); ++i) {
    // A layer that was deleted since was read before: only its copy is missing.
    if (!host::is_layer(references[i].layer) || host::image_of(references[i].layer) == call.image) continue;
    copies.push_back(brought_in(call.image, references[i]));
    if (!copies.back()) throw no_new_layer();
    const Id copy = copies.back().id();
    if (i == 0) {
      settings.source = host::tattoo(copy);
      settings.selection_state.clear();  // from now on the copy's layer mask shows where the geometry is
    } else {
      settings.further.push_back(call.further[i - 1]);
      settings.further.back().layer = host::tattoo(copy);
    }
  }
  return copies;
}

/// A channel that is not in the image yet; freed unless insert() is called. kNone: nothing to insert.
class NewSelection {
 public:
  explicit NewSelection(Id channel) : channel_(channel) {}
  NewSelection(NewSelection&& other) noexcept : channel_(std::exchange(other.channel_, kNone)) {}
  ~NewSelection() {
    if (channel_ != kNone && host::is_channel(channel_)) host::delete_layer(channel_);
  }
  void insert(Id image) {
    if (const Id channel = std::exchange(channel_, kNone); channel != kNone) host::insert_channel(image, channel);
  }

 private:
  Id channel_;
};

/// Finds the channel that keeps the call's selection, or copies the selection to a new one. Stores it in `settings`.
NewSelection keep_selection(const Call& call, const SceneFromLayers& layers, const std::string& name, Remembered& settings) {
  if (!layers.uses_selection()) return NewSelection(kNone);
  const std::string state = selection_state(call.image);
  Id saved = host::is_channel(call.selection) ? call.selection : find_kept_selection(call.image, state), copy = kNone;
  if (saved == kNone && !state.empty()) saved = copy = copy_selection(call.image, sentence(_("{0} (selection)"), name), state);
  if (saved != kNone) settings.selection = host::tattoo(saved);
  return NewSelection(copy);
}

/// True if `layer` shows no pixel of what lies under it in `area`, as far as five of its pixels tell.
bool covers(Id layer, const Rect& area) {
  const Rect extent = host::extent(layer);
  if (!host::is_visible(layer) || !host::is_plain(layer) || extent.x > area.x || extent.y > area.y ||
      extent.right() < area.right() || extent.bottom() < area.bottom())
    return false;
  const GeglRaster raster(host::pixels(layer), GeglRaster::Kind::colour, extent.x, extent.y, extent);
  for (const auto& [x, y] : {std::pair{0.5, 0.5}, {0.0, 0.0}, {0.999, 0.0}, {0.0, 0.999}, {0.999, 0.999}}) {
    float rgba[4];
    raster.read({area.x + static_cast<int>(x * area.width), area.y + static_cast<int>(y * area.height), 1, 1}, {1, 1}, rgba);
    if (rgba[3] < 0.99f) return false;
  }
  return true;
}

bool is_reference(const SceneFromLayers& layers, Id layer) {
  const auto& all = layers.placed_references();
  return std::any_of(all.begin(), all.end(), [&](const auto& r) { return r.layer == layer; });
}

/// The layers of the target's group that lie above it, from bottom to top.
std::vector<Id> siblings_above(const Call& call) {
  std::vector<Id> above;
  for (const Id layer : host::layers(call.image)) {
    if (layer == call.target) break;
    if (host::parent(layer) == host::parent(call.target)) above.insert(above.begin(), layer);
  }
  return above;
}

/// The layer that the result goes directly above.
Id layer_below_result(const Call& call, const SceneFromLayers& layers, const Rect& area) {
  if (host::is_layer(call.previous)) return call.previous;
  Id below = call.target;
  bool directly_above = true;
  for (const Id layer : siblings_above(call)) {
    directly_above &= is_result(layer);
    if (directly_above || (!is_reference(layers, layer) && covers(layer, area))) below = layer;
  }
  return below;
}

/// The visible references above the target in call.image: they may cover the result.
std::vector<Id> covering_references(const Call& call, const SceneFromLayers& layers) {
  std::vector<Id> covering;
  for (const Id layer : host::layers(call.image)) {
    if (layer == call.target) break;
    if (is_reference(layers, layer) && host::is_visible(layer)) covering.push_back(layer);
  }
  return covering;
}

/// The layer's name; for the only layer of another image its file's name, as GIMP calls such a layer "Background".
std::string reference_name(const Call& call) {
  const Id image = host::image_of(call.source);
  if (image == call.image || host::layers(image).size() != 1) return host::item_name(call.source);
  std::string name = host::image_name(image);
  if (!name.empty() && name[0] == '[') name = name.substr(1, name.find(']') - 1);  // "[photo] (imported)"
  const auto dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

}  // namespace

std::string result_name(const Call& call) { return sentence(translate(find_kind(call.kind).name).c_str(), reference_name(call)); }

namespace {

/// Makes a layer that is not in the image yet. Throws Error if the host refuses.
NewLayer written_layer(Id image, const std::string& name, const Layer& pixels) {
  NewLayer layer(image, host::make_layer(image, name, pixels.area));
  if (!layer) throw no_new_layer();
  write_layer(host::pixels(layer.id()).get(), pixels);
  host::layer_changed(layer.id());
  return layer;
}

/// Returns the name of a layer of a group, untranslated.
const char* layer_name(BlendLayer::Mode mode) {
  switch (mode) {
    case BlendLayer::Mode::multiply:
      return N_("Shade");
    case BlendLayer::Mode::add:
      return N_("Light");
    case BlendLayer::Mode::subtract:
      return N_("Darkening");
    default:
      return N_("Own material");
  }
}

/// Makes the layers of a group, from bottom to top. They are not in the image yet.
std::vector<NewLayer> written_layers(Id image, const std::vector<BlendLayer>& separate) {
  std::vector<NewLayer> layers;
  for (const BlendLayer& layer : separate) {
    layers.push_back(written_layer(image, translate(layer_name(layer.mode)), layer.pixels));
    host::set_blending(layers.back().id(), layer.mode);
  }
  return layers;
}

}  // namespace

Id write_result(const Call& call, const SceneFromLayers& layers, const std::string& name, Remembered& settings,
                const MadeResult& transfer) {
  check_still_there(call);
  std::optional<UndoGroup> group;  // destroyed last, so that what is taken back is in it
  // Everything is complete before it is in the image: if this process ends on the way, the image is as it was.
  NewLayer result = transfer.separate.empty() ? written_layer(call.image, name, transfer.pixels)
                                              : NewLayer(call.image, host::make_group(call.image, name));
  if (!result) throw no_new_layer();
  std::vector<NewLayer> separate = written_layers(call.image, transfer.separate);
  std::vector<NewLayer> copies;
  if (call.bring_in) copies = copy_references(call, layers, settings);
  NewSelection selection = keep_selection(call, layers, name, settings);
  set_layer_settings(result.id(), settings);
  set_layer_report(result.id(), transfer.report);

  // A result above a target that is half transparent, masked or blended would not look as the target does. In a group
  // that has the target's opacity, mask and mode in its place, it does.
  const bool wrap = !host::is_plain(call.target) && !host::is_layer(call.previous);
  const Id below = wrap ? call.target : layer_below_result(call, layers, transfer.pixels.area);
  const std::vector<Id> covering = covering_references(call, layers);
  group.emplace(call.image);  // GIMP names the undo step after the plug-in
  if (wrap && !host::wrap_in_group(call.image, call.target, host::item_name(call.target))) throw no_new_layer();
  // The result first: the image is unchanged up to here, and from here on it has the result.
  if (!result.insert(below)) throw no_new_layer();
  for (NewLayer& layer : separate)
    if (!layer.insert_into(result.id())) throw no_new_layer();
  for (NewLayer& copy : copies)
    if (!copy.insert(call.target, true)) throw no_new_layer();
  for (const Id layer : covering) host::hide(layer);
  if (host::is_layer(call.previous)) host::remove_layer(call.image, call.previous);
  selection.insert(call.image);
  for (NewLayer& copy : copies) copy.keep();
  for (NewLayer& layer : separate) layer.keep();
  host::activate(call.image, result.id());
  const Id id = result.keep();
  group.reset();
  host::show_changes();
  return id;
}

}  // namespace geometry_transfer
