// SPDX-License-Identifier: GPL-3.0-or-later
/// Telling geometry from grain: a material's grain is alike inside and outside the selection, geometry is not, and it hangs
/// together.
#pragma once

#include <opencv2/core.hpp>

namespace geometry_transfer {

/// The part of `difference` (CV_32FC1: luma - base) that the geometry made.
///
/// Octave bands; in each, evidence is pooled along eight directions (a signed mean along a line: a crack adds up, grain cancels)
/// and over an isotropic neighbourhood, and compared with what the same pooling gives on bare material, so that the strength
/// follows from the source's own statistics (a line's from those near it, a neighbourhood's from those at most places; less where
/// the selection holds much more of the band than the bare material). A band's value is kept by the Wiener weight of the
/// best evidence, and where a direction explains it, taken from along that direction. bare: CV_8UC1, not 0 where the source shows
/// nothing but material; without any, nothing is removed. size: longer side of the geometry, pixels: bands up to a 24th of it are
/// looked at, what is wider is geometry. grain 0 removes nothing, 1 what the statistics ask for, more than 1 more.
cv::Mat without_grain(const cv::Mat& difference, const cv::Mat& bare, double size, double grain);

/// What removing grain costs, given back, in place: a tone brought to what it most likely was. What is pressed, cut or cracked is
/// mostly darker, so of the grain that is left, as often bright as dark, the bright is the more; and a shallow darkening has lost
/// some of its depth to the judging, a deep one nothing. geometry and base: CV_32FC1, luma less base, base. As a ratio to the
/// base: darker by d, it becomes d (1 + kDeepen (1 - d)^2); brighter, it is multiplied by kLighten. grain: as above; from 1 on in
/// full.
void restore_depth(cv::Mat& geometry, const cv::Mat& base, double grain);

}  // namespace geometry_transfer
