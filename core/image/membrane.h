// SPDX-License-Identifier: GPL-3.0-or-later
/// Laplace's equation over an arbitrary region: the surface a soap film takes between given borders.
#pragma once

#include <opencv2/core.hpp>

namespace geometry_transfer {

/// `values` (CV_32FC1) with the pixels where `open` (CV_8UC1) is not 0 replaced by the membrane: each of them the mean of its
/// four neighbours, the others fixed, the picture's edge free (no flow across it). Multigrid: cost is linear in the open box's
/// pixels; error below 1e-3 of the border's range after the default cycles. Without any fixed pixel: the mean.
cv::Mat membrane(const cv::Mat& values, const cv::Mat& open, int cycles = 5);

}  // namespace geometry_transfer
