// SPDX-License-Identifier: GPL-3.0-or-later
/// Labels as other programs write them: run lengths and polygons.
#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

namespace geometry_transfer::cli {

/// Returns COCO's compressed run lengths of a mask (CV_8UC1, not 0 selects): column by column, zeros first, 5 bits per
/// character. From the fourth run on they are differences from two runs earlier. `area`: where `mask` lies in a picture
/// of `size`.
std::string run_lengths(const cv::Mat& mask, cv::Rect area, cv::Size size);

/// Outer outlines as polygons, in pixels of `mask`, at most a quarter of a pixel inside its pixels' borders. One a
/// region, at least three points each. Simplified by no more than `tolerance` pixels.
std::vector<std::vector<cv::Point2d>> polygons(const cv::Mat& mask, double tolerance);

}  // namespace geometry_transfer::cli
