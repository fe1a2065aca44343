// SPDX-License-Identifier: GPL-3.0-or-later
#include "scene_from_layers.h"

#include <algorithm>
#include <set>

#include "bring_in.h"
#include "host/gegl_raster.h"
#include "kept_selection.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

using host::Id;
using host::kNone;

Rect shifted(const Rect& r, int dx, int dy) { return {r.x + dx, r.y + dy, r.width, r.height}; }

Rect intersection(const Rect& a, const Rect& b) {
  const int x = std::max(a.x, b.x), y = std::max(a.y, b.y);
  const Rect both = {x, y, std::min(a.right(), b.right()) - x, std::min(a.bottom(), b.bottom()) - y};
  return both.empty() ? Rect{} : both;
}

/// Throws Error (input) unless all references are layers other than `target`, each used once.
void check_references(Id target, Id source, const std::vector<FurtherReference>& further) {
  std::set<Id> seen;
  const auto check = [&](Id layer) {
    if (layer == target)
      throw error(Error::Kind::input, _("The reference layer must be another layer than the one that is worked on (\"{0}\")."),
                  host::item_name(target));
    if (!seen.insert(layer).second)
      throw error(Error::Kind::input, _("The layer \"{0}\" is a reference twice: choose another, or remove one."),
                  host::item_name(layer));
  };
  if (source == kNone || !host::is_layer(source))
    throw error(Error::Kind::input, _("Choose the reference layer: the layer that shows the geometry."));
  check(source);
  for (const FurtherReference& r : further) {
    if (!host::is_layer(static_cast<Id>(r.layer)))
      throw error(Error::Kind::input, _("A further reference (number {0}) is not a layer: choose one, or remove it."), r.layer);
    check(static_cast<Id>(r.layer));
  }
}

/// A mask's area in canvas pixels (the sum of its coverage), and its centre of gravity on the canvas.
struct Moments {
  double area = 0, x = 0, y = 0;
};
Moments moments_of(const Raster& mask) {
  const Rect area = mask.extent();
  const Size size = {std::min(area.width, 256), std::min(area.height, 256)};
  std::vector<float> coverage(static_cast<size_t>(size.width) * size.height);
  mask.read(area, size, coverage.data());
  double sum = 0, x_sum = 0, y_sum = 0;
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) {
      const double c = coverage[static_cast<size_t>(y) * size.width + x];
      sum += c;
      x_sum += c * (x + 0.5);
      y_sum += c * (y + 0.5);
    }
  return {sum * area.width / size.width * area.height / size.height,
          area.x + (sum > 0 ? x_sum / sum / size.width : 0.5) * area.width,
          area.y + (sum > 0 ? y_sum / sum / size.height : 0.5) * area.height};
}

}  // namespace

void check_target(Id image, Id target) {
  if (host::has_quick_mask(image))
    throw error(Error::Kind::input,
                _("The quick mask is on, so nothing is selected: switch it off first (Select > Toggle Quick Mask)."));
  if (!host::is_layer(target))
    throw error(Error::Kind::input, _("Geometry Transfer works on layers: choose a layer, not a channel or a mask."));
  if (!host::takes_colour(image))
    throw error(Error::Kind::input, _("The image is indexed: change it to RGB first (Image > Mode > RGB)."));
  if (host::has_floating_selection(image))
    throw error(Error::Kind::input, _("There is a floating selection: anchor it or make it a layer first."));
}

struct SceneFromLayers::GeometryMask {
  Id drawable = kNone;  // a selection or a layer mask
  int x = 0, y = 0;     // place of its pixel 0,0 on the target's canvas
  Rect bounds;          // on the target's canvas
  int dx = 0, dy = 0;   // from the layer's canvas to the target's
};

SceneFromLayers::SceneFromLayers(Id image, Id target, Id source, const std::vector<FurtherReference>& further, Id selection)
    : image_(image), target_(target), selection_(host::is_channel(selection) ? selection : kNone) {
  check_target(image, target);
  check_references(target, source, further);
  const Rect extent = host::extent(target);
  scene_.target = raster(target, true, extent.x, extent.y, extent);
  const bool several =
      std::any_of(further.begin(), further.end(), [](const auto& r) { return r.role == Reference::Role::geometry; });
  add_geometry(source, true, several, 1);
  for (const FurtherReference& r : further)
    if (r.role == Reference::Role::geometry)
      add_geometry(static_cast<Id>(r.layer), false, true, r.weight);
    else
      add_texture(static_cast<Id>(r.layer), r.weight);
  find_centre();
}

SceneFromLayers::GeometryMask SceneFromLayers::geometry_mask(Id layer, bool main) const {
  const Id in = host::image_of(layer);
  GeometryMask m;
  Rect bounds;
  const Id own = main && !was_brought_in(layer) ? kNone : host::layer_mask(layer);
  if (own != kNone) {
    bounds = host::extent(layer);
    m.drawable = own;
    m.x = bounds.x;
    m.y = bounds.y;
  } else {
    // A reference in another image brings its own selection along.
    const Id selected = in != image_ && !host::selection_bounds(in).empty() ? in : image_;
    const bool saved = selected == image_ && selection_ != kNone;
    bounds = saved ? covered_bounds(selection_) : host::selection_bounds(selected);
    m.drawable = saved ? selection_ : host::selection(selected);
    uses_selection_ |= selected == image_;
    if (bounds.empty())
      throw error(
          Error::Kind::input,
          _("Nothing is selected: select the geometry on the reference layer (\"{0}\"), then call Geometry Transfer again."),
          host::item_name(layer));
    if (selected == image_) {
      m.bounds = bounds;
      return m;
    }
  }
  if (in != image_) {
    const Rect own_selection = host::selection_bounds(image_);
    const Rect here = own_selection.empty() ? host::extent(target_) : own_selection;
    m.dx = here.x + here.width / 2 - (bounds.x + bounds.width / 2);
    m.dy = here.y + here.height / 2 - (bounds.y + bounds.height / 2);
  }
  m.x += m.dx;
  m.y += m.dy;
  m.bounds = shifted(bounds, m.dx, m.dy);
  return m;
}

const Raster* SceneFromLayers::raster(Id drawable, bool colour, int x, int y, const Rect& extent) {
  rasters_.push_back(std::make_unique<GeglRaster>(host::pixels(drawable),
                                                  colour ? GeglRaster::Kind::colour : GeglRaster::Kind::mask, x, y, extent));
  return rasters_.back().get();
}

/// `clip`: several layers share one selection, so each takes the part of it that lies on the layer.
void SceneFromLayers::add_geometry(Id layer, bool main, bool clip, double weight) {
  const GeometryMask m = geometry_mask(layer, main);
  const Rect extent = shifted(host::extent(layer), m.dx, m.dy);
  const Rect on_it = intersection(m.bounds, extent);
  const Rect bounds = clip && !on_it.empty() ? on_it : m.bounds;
  if (main) selected_ = m.bounds;
  placed_references_.push_back({layer, extent, m.drawable, m.x, m.y});
  Reference reference;
  reference.colour = raster(layer, true, extent.x, extent.y, extent);
  reference.mask = raster(m.drawable, false, m.x, m.y, bounds);
  reference.weight = weight;
  scene_.references.push_back(reference);
}

void SceneFromLayers::add_texture(Id layer, double weight) {
  const Rect extent = host::extent(layer);
  const Id mask = host::layer_mask(layer);
  placed_references_.push_back({layer, extent, mask, extent.x, extent.y});
  Reference reference;
  reference.role = Reference::Role::texture;
  reference.colour = raster(layer, true, extent.x, extent.y, extent);
  if (mask != kNone) reference.mask = raster(mask, false, extent.x, extent.y, extent);
  reference.weight = weight;
  scene_.references.push_back(reference);
}

void SceneFromLayers::find_centre() {
  double total = 0, x = 0, y = 0;
  for (const Reference& r : scene_.references) {
    if (r.role != Reference::Role::geometry) continue;
    const Moments one = moments_of(*r.mask);
    if (total == 0) x = one.x, y = one.y;  // if all masks are empty
    if (total + one.area <= 0) continue;
    x += (one.x - x) * one.area / (total + one.area);
    y += (one.y - y) * one.area / (total + one.area);
    total += one.area;
  }
  centre_x_ = x;
  centre_y_ = y;
}

}  // namespace geometry_transfer
