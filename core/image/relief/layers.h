// SPDX-License-Identifier: GPL-3.0-or-later
/// Splits a reference into the layers of its geometry. The layers do not depend on a target, so a reference is split
/// once and placed many times:
///
///   result = (1 - own) * target * exp(shade) + own * reference + light
#pragma once

#include <opencv2/core.hpp>

#include "geometry-transfer/decisions.h"
#include "geometry-transfer/request.h"

namespace geometry_transfer {

/// Fields of the size of the picture that was split, for display values (R'G'B' in [0,1]).
struct GeometryLayers {
  cv::Mat shade;  ///< CV_32FC1: log of the factor on the target, -5 to 2; 0: no change
  cv::Mat light;  ///< CV_32FC1: added to all channels; glints are > 0; may be negative
  cv::Mat own;    ///< CV_32FC1 in [0,1]: share of the reference's own material (rust, bared metal, a dark floor)
  bool empty() const { return shade.empty(); }
};

struct SplitGeometry {
  GeometryLayers layers;
  GeometryDecisions decided;  ///< all but `strength`, which depends on the target: edit_onto() sets it
  double depth = 0;           ///< <= 0: mean of shade over the darkest fifth of the dark pixels
  double grain = 0;           ///< standard deviation of the bare material's log ratio to its tone
};

/// rgb CV_32FC3 in [0,1]; mask CV_32FC1 in [0,1], the selection; known CV_32FC1, 0 where rgb was filled, or empty.
/// Reads request.grain, own_material and show_through. If a side is above 400 pixels, the network works in tiles, and
/// leaves out tiles without selection.
SplitGeometry split_geometry(const cv::Mat& rgb, const cv::Mat& mask, const cv::Mat& known, const Request& request);

/// Returns the tone of the bare material everywhere. `bare`: CV_32FC1 in [0,1], 1 on bare material. Bare pixels are
/// averaged in cells of at least 8 x 8 pixels; a pyramid (push-pull) fills the gaps.
cv::Mat bare_tone(const cv::Mat& rgb, const cv::Mat& bare);

}  // namespace geometry_transfer
