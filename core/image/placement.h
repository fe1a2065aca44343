// SPDX-License-Identifier: GPL-3.0-or-later
/// Measures a selection, and builds the affine map that places it on the target.
#pragma once

#include <vector>

#include "geometry-transfer/transfer.h"
#include "image/pixels.h"

namespace geometry_transfer {

/// Box, centre, area and outline of a selection, measured on at most 1024 samples a side.
struct MaskShape {
  Rect bounds;                       ///< smallest box of non-zero pixels, canvas pixels
  cv::Point2d centroid;              ///< weighted by coverage, rounded to a pixel corner so that quarter turns are exact
  double area = 0;                   ///< sum of coverage, pixels
  std::vector<cv::Point2d> outline;  ///< corner points whose convex hull holds the selection
  bool empty() const { return bounds.empty(); }
};

/// Measures a mask. A small selection on a large canvas is measured again at a finer scale.
MaskShape measure(const Raster& mask);

/// Returns the map that stretches and flips, rotates (counter-clockwise on screen) and scales about `centre`, and then
/// shifts.
Affine affine_of(const Placement& placement, cv::Point2d centre);
/// Returns the map that applies `first` and then `second`.
Affine composed(const Affine& first, const Affine& second);
/// Returns the bounding box of the outline after `place`, in canvas pixels.
cv::Rect2d bounds_of(const MaskShape& shape, const Affine& place);

}  // namespace geometry_transfer
