// SPDX-License-Identifier: GPL-3.0-or-later
/// The source's shading, split from its material: luma = base + geometry + grain.
#pragma once

#include <opencv2/core.hpp>

namespace geometry_transfer {

/// Rec. 601 luma of R'G'B' (CV_32FC3 -> CV_32FC1).
cv::Mat luma_of(const cv::Mat& rgb);

struct Relief {
  cv::Mat base;  ///< CV_32FC1: luma of the bare material, as if the geometry were not there
  cv::Mat luma;  ///< CV_32FC1: base + what the geometry did to it
};

/// The reference law, as the prototype had it, kept as the yardstick of the tests: the base is a normalised Gaussian (12 px) of
/// what lies outside the mask grown by 4 px, filled in under it by 300 sweeps of a 3 x 3 mean (not converged, on purpose: the
/// golden data is not); the difference in two bands (1.5 px), each shrunk by v^3 / (v^2 + s^2) against the bare material's
/// deviation times `shrink`. Slow, and blind to structure: the transfer itself uses carve().
Relief relief(const cv::Mat& rgb, const cv::Mat& mask, double shrink);

/// What a geometry brightens on the whole, for targets near white. All three are empty where it brightens nothing.
struct Glow {
  cv::Mat factor;    ///< CV_32FC1, 1 or more
  cv::Mat headroom;  ///< CV_32FC1 in [0,1]: what it may take of what is left to white
  cv::Mat contrast;  ///< CV_32FC1 in [0,1]: what is darker than the brightening, as a factor to it
  bool empty() const { return factor.empty(); }
};

/// Onto the target's own pixels: darker than the base multiplies, brighter moves toward white.
struct Shading {
  cv::Mat factor;    ///< CV_32FC1, 0 or more, 1: nothing; never carries a pixel beyond white
  cv::Mat headroom;  ///< CV_32FC1: most of what is left to white that a factor above 1 may take; empty: no factor is above 1
  cv::Mat light;     ///< CV_32FC1 in [0,1], 0: nothing
  Glow glow;
};
Shading shading_of(const Relief& relief);

/// target (CV_32FC3, any range) * dark, then toward white by light. A pixel already brighter than white is not darkened by light.
cv::Mat apply(const cv::Mat& target, const Shading& shading);

}  // namespace geometry_transfer
