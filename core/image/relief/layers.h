// SPDX-License-Identifier: GPL-3.0-or-later
/// Split a reference into the layers of its geometry. The layers do not depend on a target, so one reference is split once and
/// placed as often as one likes:
///
///   result = (1 - own) * target * exp(shade) + own * reference + light
#pragma once

#include <opencv2/core.hpp>

#include "geometry-transfer/progress.h"
#include "geometry-transfer/request.h"

namespace geometry_transfer {

/// All of the size of the picture that was split; display values (R'G'B' in [0,1]).
struct GeometryLayers {
  cv::Mat shade;  ///< CV_32FC1: log of the factor on the target; [-5, 2] less show-through; 0: nothing
  cv::Mat light;  ///< CV_32FC1: added to all channels; glints (> 0), at times negative; 0: nothing
  cv::Mat own;    ///< CV_32FC1 in [0,1]: share of the reference's own material (rust, bared metal, a crack's dark floor)
  bool empty() const { return shade.empty(); }
};

struct SplitGeometry {
  GeometryLayers layers;
  GeometryDecisions decided;  ///< all but `strength`, which depends on the target: edit_onto() sets it
  double depth = 0;           ///< mean of shade where it is darkest (a fifth of what is dark), <= 0
  double grain = 0;           ///< standard deviation of the bare material's log ratio round the selection
};

/// rgb CV_32FC3 in [0,1]; mask CV_32FC1 in [0,1], the selection; known CV_32FC1, 0 where rgb was filled, or empty.
/// Reads request.grain, own_material and show_through. If a side is above 400 pixels, the network works in tiles, and
/// leaves out tiles without selection.
SplitGeometry split_geometry(const cv::Mat& rgb, const cv::Mat& mask, const cv::Mat& known, const Request& request);

/// Returns the tone of the bare material everywhere. `bare`: CV_32FC1 in [0,1], 1 on bare material. Bare pixels are
/// averaged in cells of at least 8 x 8 pixels; a pyramid (push-pull) fills the gaps.
cv::Mat bare_tone(const cv::Mat& rgb, const cv::Mat& bare);

}  // namespace geometry_transfer
