// SPDX-License-Identifier: GPL-3.0-or-later
/// Keeps a reference's patch and layers from one edit to the next.
#pragma once

#include <memory>
#include <optional>

#include "geometry-transfer/transfer.h"
#include "image/patch.h"
#include "request/cache.h"

namespace geometry_transfer {

/// A patch, and a name that identifies its contents.
struct NamedPatch {
  Patch patch;
  std::string name;  ///< empty if nothing is kept
};

class ReferenceCache : public KeptReference {
 public:
  /// See ImagePart::keep_reference(). `fixed`: pixels and mask of the reference never change.
  ReferenceCache(std::uint64_t limit, bool fixed) : fixed_(fixed), patches_(limit), splits_(limit) {}
  std::uint64_t bytes() const override { return patches_.used() + splits_.used(); }

  MaskShape shape(const Raster& mask);
  std::shared_ptr<const NamedPatch> patch(const MeasuredReference& geometry, double most_scale);
  std::shared_ptr<const SplitGeometry> split(const NamedPatch& patch, double grow, const Request& request);

 private:
  const bool fixed_;
  std::mutex mutex_;
  std::optional<MaskShape> shape_;
  Cache<NamedPatch> patches_;
  Cache<SplitGeometry> splits_;
};

/// Returns the cache of a reference; null if it has none.
inline ReferenceCache* cache_of(const Reference& reference) { return static_cast<ReferenceCache*>(reference.cache); }

/// Rounds a grow in patch pixels to quarters, so that scaling the geometry rarely needs a new split.
double stepped_grow(double pixels);

/// Returns measure() of the reference's mask. A kept, fixed reference is measured once.
MaskShape shape_of(const Reference& reference);

/// Returns read_patch(). A kept, fixed reference is read once for each rounded scale (steps of 2^(1/4) below 1).
std::shared_ptr<const NamedPatch> patch_of(const MeasuredReference& geometry, double most_scale);

/// Splits a patch into layers, its selection grown by `grow` patch pixels. With a cache it splits once for each patch,
/// grow, grain, own material and show-through; `grow` is then rounded to a quarter of a pixel.
std::shared_ptr<const SplitGeometry> split_of(ReferenceCache* cache, const NamedPatch& patch, double grow,
                                              const Request& request);

}  // namespace geometry_transfer
