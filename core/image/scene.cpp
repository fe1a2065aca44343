// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/scene.h"

#include <cmath>

#include "image/kept_reference.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

void check_channels(const Raster& raster, int channels) {
  if (raster.channels() != channels)
    throw error(Error::Kind::input,
                _("A layer has {0} channels but needs {1}: a picture needs colour and alpha, a mask one channel."),
                raster.channels(), channels);
}

Rect checked_extent(const Raster* layer, const char* missing, const char* empty) {
  if (!layer) throw error(Error::Kind::input, missing);
  check_channels(*layer, 4);
  const Rect extent = layer->extent();
  if (extent.empty()) throw error(Error::Kind::input, empty, extent.width, extent.height);
  return extent;
}

MeasuredReference geometry_of(const Reference& reference) {
  const Rect colour = checked_extent(reference.colour, _("A reference has no layer: choose the layer that shows the geometry."),
                                     _("A reference layer is {0} x {1} pixels: choose one with pixels."));
  const char* nothing = _("Nothing is selected: select the geometry (a crack, a hole, a dent) on the reference layer.");
  if (!reference.mask) throw error(Error::Kind::input, nothing);
  check_channels(*reference.mask, 1);
  MeasuredReference g{&reference, shape_of(reference)};
  if (g.shape.empty()) throw error(Error::Kind::input, nothing);
  const Rect& s = g.shape.bounds;
  if (intersect(s, colour).empty())
    throw error(Error::Kind::input,
                _("The selection ({0} x {1} pixels at {2}, {3}) lies outside the reference layer ({4} x {5} at {6}, {7}): select "
                  "something on that layer, or choose another reference."),
                s.width, s.height, s.x, s.y, colour.width, colour.height, colour.x, colour.y);
  return g;
}

MeasuredReference texture_of(const Reference& reference) {
  const Rect extent = checked_extent(reference.colour, _("A texture reference has no layer: choose one."),
                                     _("A reference layer is {0} x {1} pixels: choose one with pixels."));
  MeasuredReference g{&reference, {}};
  if (reference.mask) {
    check_channels(*reference.mask, 1);
    g.shape = measure(*reference.mask);
    if (g.shape.empty())
      throw error(Error::Kind::input,
                  _("The selection of a texture reference is empty: select some of its material, or all of it."));
  } else {
    g.shape.bounds = extent;
    g.shape.centroid = {extent.x + std::floor(extent.width / 2.0), extent.y + std::floor(extent.height / 2.0)};
  }
  return g;
}

}  // namespace

void check_target(const Scene& scene) {
  checked_extent(scene.target, _("There is no target layer: choose the layer to transfer onto."),
                 _("The target layer is {0} x {1} pixels: choose one with pixels."));
}

std::vector<MeasuredReference> geometries_of(const Scene& scene) {
  std::vector<MeasuredReference> list;
  for (const Reference& reference : scene.references)
    if (reference.role == Reference::Role::geometry) list.push_back(geometry_of(reference));
  if (list.empty()) throw error(Error::Kind::input, _("There is no reference layer: choose the layer that shows the geometry."));
  return list;
}

std::vector<MeasuredReference> textures_of(const Scene& scene) {
  std::vector<MeasuredReference> list;
  for (const Reference& reference : scene.references)
    if (reference.role == Reference::Role::texture) list.push_back(texture_of(reference));
  return list;
}

cv::Point2d centre_of(const std::vector<MeasuredReference>& geometries) {
  cv::Point2d sum(0, 0);
  double total = 0;
  for (const MeasuredReference& g : geometries) {
    const Placement& own = g.reference->placement;
    const double area = g.shape.area * own.scale * own.scale;
    sum += area * map(affine_of(own, g.shape.centroid), g.shape.centroid);
    total += area;
  }
  return {std::round(sum.x / total), std::round(sum.y / total)};
}

}  // namespace geometry_transfer
