// SPDX-License-Identifier: GPL-3.0-or-later
/// Grows and feathers masks.
#pragma once

#include <opencv2/core.hpp>

namespace geometry_transfer {

/// Returns the smooth step of t in [0,1]: 0 to 1, flat at both ends.
inline float smoothstep(float t) { return t * t * (3 - 2 * t); }

/// Returns the distance in pixels from each pixel to the nearest pixel with mask >= constants::kSelected (0 inside),
/// CV_32FC1. Without such a pixel it is 1e9.
cv::Mat distance_outside(const cv::Mat& mask);

/// Returns mask (CV_32FC1 in [0,1]) grown by `pixels` around its core (>= kSelected), or shrunk if negative. Soft
/// borders stay soft.
cv::Mat grown(const cv::Mat& mask, double pixels);

/// Returns the composite's alpha: 1 in the mask's core (>= kSelected), a smooth fall to 0 over `feather` pixels
/// outside; nowhere less than the mask's own coverage. Without a feather it is `mask`.
cv::Mat feathered(const cv::Mat& mask, double feather);

}  // namespace geometry_transfer
