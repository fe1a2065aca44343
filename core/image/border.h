// SPDX-License-Identifier: GPL-3.0-or-later
/// How a geometry ends at its selection's border: what the bare material may show there too is taken off, what only the geometry
/// can be stays.
#pragma once

#include <opencv2/core.hpp>

namespace geometry_transfer {

/// Takes from a geometry's tone what is left of it at its selection's border, spread over the selection as a membrane, and fades
/// the last pixels. Left of it is the material's own drift, or the geometry itself where it is cut by the border (a hole selected
/// tightly, a shadow that reaches out). So the mean along the border is held against how far the bare material strays from its
/// base at such a distance: kept with the Wiener weight of that evidence, and faded as much less. As a ratio to the base, since
/// where the base is off by some light, it is off by a factor: 1 + g / base -> (1 + g / base) / membrane. So what is black stays
/// black, where a difference would leave it gray or take it below. geometry: CV_32FC1, luma less its base, in place; base: the
/// bare material's tone; mask: CV_32FC1, the selection is 0.5 and more; bare: CV_8U, not 0 where no geometry is; size: pixels,
/// the selection's longer side.
void close_tone(cv::Mat& geometry, const cv::Mat& base, const cv::Mat& mask, const cv::Mat& bare, double size);

}  // namespace geometry_transfer
