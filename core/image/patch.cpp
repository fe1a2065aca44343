// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/patch.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "image/constants.h"

namespace geometry_transfer {
using namespace constants;
namespace {

/// Returns the radius of the largest disc inside the selection, in canvas pixels. Measures at a reduced size.
double inner_radius(const MeasuredReference& geometry) {
  const Rect& box = geometry.shape.bounds;
  const double shrink = std::min(1.0, std::sqrt(1e6 / (double(box.width) * box.height)));
  const cv::Size size(std::max(1, int(box.width * shrink)), std::max(1, int(box.height * shrink)));
  cv::Mat inside, framed, distance;
  inside = sample_mask(*geometry.reference->mask, kIdentity, box, size) > kSelected;
  cv::copyMakeBorder(inside, framed, 1, 1, 1, 1, cv::BORDER_CONSTANT, 0);
  cv::distanceTransform(framed, distance, cv::DIST_L2, cv::DIST_MASK_3);
  double most = 0;
  cv::minMaxLoc(distance, nullptr, &most);
  return most / shrink;
}

/// Returns the map from a pixel index of the view (`size` pixels over `area`) to a pixel index of the patch.
Affine index_map(const Patch& patch, const Affine& place, const Rect& area, cv::Size size) {
  return index_map(inverse(place), area, size, patch.area, patch.mask.size());
}

cv::Mat warped(const cv::Mat& field, const Affine& index, cv::Size size, bool repeat) {
  cv::Mat out;
  cv::warpAffine(field, out, cv::Mat(index), size, cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                 repeat ? cv::BORDER_REPLICATE : cv::BORDER_CONSTANT, cv::Scalar());
  return out;
}

}  // namespace

Patch read_patch(const MeasuredReference& geometry, double most_scale) {
  const Rect box = geometry.shape.bounds;
  const double longest = std::max(box.width, box.height);
  const auto ring_at = [&](double scale) { return std::clamp(kRingShare * scale * longest, kRing, kMostRing); };
  double scale = most_scale;
  const auto pixels_at = [&](double s) { return (s * box.width + 2 * ring_at(s)) * (s * box.height + 2 * ring_at(s)); };
  const auto fit = [&](double pixels) {
    for (int i = 0; i < 8 && pixels_at(scale) > pixels; ++i) scale *= std::sqrt(pixels / pixels_at(scale));
  };
  if (pixels_at(scale) > kPatchPixels) {
    const double keep = std::min(most_scale, kPatchRadius / std::max(inner_radius(geometry), 1e-6));
    fit(kPatchPixels);
    scale = std::max(scale, keep);
    fit(kThinPatchPixels);
  }
  Patch p;
  const int ring = int(std::ceil(ring_at(scale) / scale));
  p.area = {box.x - ring, box.y - ring, box.width + 2 * ring, box.height + 2 * ring};
  const cv::Size size(std::max(8, int(std::lround(p.area.width * scale))), std::max(8, int(std::lround(p.area.height * scale))));
  p.scale = double(size.width) / p.area.width;
  const Pixels read = sample_colour(*geometry.reference->colour, kIdentity, p.area, size);
  p.rgb = read.rgb, p.known = read.known;
  p.mask = sample_mask(*geometry.reference->mask, kIdentity, p.area, size);
  if (!p.known.empty()) p.mask = p.mask.mul(p.known);
  return p;
}

cv::Mat place_field(const cv::Mat& field, const Patch& patch, const Affine& place, const Rect& area, cv::Size size, bool repeat) {
  return warped(field, index_map(patch, place, area, size), size, repeat);
}

GeometryLayers place_layers(const GeometryLayers& layers, const Patch& patch, const Affine& place, const Rect& area,
                            cv::Size size) {
  if (layers.empty()) return {};
  const Affine index = index_map(patch, place, area, size);
  GeometryLayers out;
  out.shade = warped(layers.shade, index, size, false);
  out.light = warped(layers.light, index, size, false);
  out.own = warped(layers.own, index, size, false);
  return out;
}

}  // namespace geometry_transfer
