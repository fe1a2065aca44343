// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/kept_reference.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <string_view>

#include "image/mask.h"

namespace geometry_transfer {
namespace {

std::uint64_t bytes_of(const cv::Mat& m) { return m.total() * m.elemSize(); }

std::uint64_t bytes_of(const Patch& p) { return bytes_of(p.rgb) + bytes_of(p.known) + bytes_of(p.mask); }

std::uint64_t bytes_of(const GeometryLayers& l) { return bytes_of(l.shade) + bytes_of(l.light) + bytes_of(l.own); }

/// Returns a name that differs if pixels, size or scale differ.
std::string name_of(const Patch& patch) {
  std::string name = fmt::format("{} {} {:a}", patch.mask.cols, patch.mask.rows, patch.scale);
  for (const cv::Mat& m : {patch.rgb, patch.known, patch.mask}) {
    const cv::Mat whole = m.isContinuous() ? m : m.clone();
    const std::string_view pixels(reinterpret_cast<const char*>(whole.data), bytes_of(whole));
    name += fmt::format(" {:x}", std::hash<std::string_view>()(pixels));
  }
  return name;
}

/// Rounds a scale below 1 up to the next power of 2^(1/4).
double stepped_scale(double scale) {
  constexpr double kSteps = 4, kRounding = 1e-6;
  return scale < 1 ? std::exp2(std::ceil(kSteps * std::log2(scale) - kRounding) / kSteps) : scale;
}

SplitGeometry split(const Patch& patch, double grow, const Request& request) {
  return split_geometry(patch.rgb, grown(patch.mask, grow), patch.known, request);
}

std::shared_ptr<const NamedPatch> read(const MeasuredReference& geometry, double most_scale, bool named) {
  NamedPatch named_patch{read_patch(geometry, most_scale), ""};
  if (named) named_patch.name = name_of(named_patch.patch);
  return std::make_shared<const NamedPatch>(std::move(named_patch));
}

}  // namespace

double stepped_grow(double pixels) { return std::round(4 * pixels) / 4; }

MaskShape ReferenceCache::shape(const Raster& mask) {
  if (!fixed_) return measure(mask);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!shape_) shape_ = measure(mask);
  return *shape_;
}

std::shared_ptr<const NamedPatch> ReferenceCache::patch(const MeasuredReference& geometry, double most_scale) {
  if (!fixed_) return read(geometry, most_scale, true);
  const double scale = stepped_scale(most_scale);
  return patches_.get(
      fmt::format("{:a}", scale), [&] { return read(geometry, scale, true); },
      [](const NamedPatch& p) { return bytes_of(p.patch); });
}

std::shared_ptr<const SplitGeometry> ReferenceCache::split(const NamedPatch& patch, double grow, const Request& request) {
  const double stepped = stepped_grow(grow);
  const std::string name =
      fmt::format("{} {:a} {:a} {:a} {:a}", patch.name, stepped, request.grain, request.own_material, request.show_through);
  return splits_.get(
      name, [&] { return std::make_shared<const SplitGeometry>(geometry_transfer::split(patch.patch, stepped, request)); },
      [](const SplitGeometry& s) { return bytes_of(s.layers); });
}

MaskShape shape_of(const Reference& reference) {
  ReferenceCache* cache = cache_of(reference);
  return cache ? cache->shape(*reference.mask) : measure(*reference.mask);
}

std::shared_ptr<const NamedPatch> patch_of(const MeasuredReference& geometry, double most_scale) {
  ReferenceCache* cache = cache_of(*geometry.reference);
  return cache ? cache->patch(geometry, most_scale) : read(geometry, most_scale, false);
}

std::shared_ptr<const SplitGeometry> split_of(ReferenceCache* cache, const NamedPatch& patch, double grow,
                                              const Request& request) {
  if (cache) return cache->split(patch, grow, request);
  return std::make_shared<const SplitGeometry>(split(patch.patch, grow, request));
}

}  // namespace geometry_transfer
