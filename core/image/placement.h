// SPDX-License-Identifier: GPL-3.0-or-later
/// Where a selection lies, and what carries it onto the target.
#pragma once

#include <vector>

#include "geometry-transfer/transfer.h"
#include "image/pixels.h"

namespace geometry_transfer {

/// A selection's outline, measured at a capped resolution.
struct MaskShape {
  Rect bounds;           ///< smallest box of non-zero pixels, canvas pixels
  cv::Point2d centroid;  ///< weighted by coverage, moved to the next pixel corner: quarter turns then map pixels onto pixels
  double area = 0;       ///< sum of coverage, pixels
  std::vector<cv::Point2d> outline;  ///< corner points whose convex hull holds the selection
  bool empty() const { return bounds.empty(); }
};

MaskShape measure(const Raster& mask);

/// stretch and flip, then rotation (counter-clockwise as seen, y down), then scale, about `centre`, then the shift.
Affine affine_of(const Placement& placement, cv::Point2d centre);
/// First `first`, then `second`.
Affine then(const Affine& first, const Affine& second);
/// Canvas pixels the outline covers once carried.
cv::Rect2d bounds_of(const MaskShape& shape, const Affine& place);

}  // namespace geometry_transfer
