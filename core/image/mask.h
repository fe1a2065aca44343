// SPDX-License-Identifier: GPL-3.0-or-later
/// Selections as fields: growing, fading.
#pragma once

#include <opencv2/core.hpp>

namespace geometry_transfer {

/// Pixels from each pixel's centre to the nearest pixel with mask >= 0.5 (0 inside). CV_32FC1; very large without any.
cv::Mat distance_outside(const cv::Mat& mask);

/// mask (CV_32FC1 in [0,1]) with `pixels` added round its half-covered core, or taken from it when negative. Soft borders stay.
cv::Mat grown(const cv::Mat& mask, double pixels);

/// The composite's alpha: 1 in the mask's core, falling smoothly to 0 over `feather` pixels outside it; a soft selection's own
/// coverage where that is more. Exactly 0 beyond.
cv::Mat feathered(const cv::Mat& mask, double feather);

}  // namespace geometry_transfer
