// SPDX-License-Identifier: GPL-3.0-or-later
/// From what a geometry did to its source's luma to what it does to any target.
#pragma once

#include "image/relief.h"

namespace geometry_transfer {

/// Darker multiplies. Brighter multiplies up to `most`, but takes no more of what is left to white than it took on the
/// source, so that nothing clips on a bright target; what is brighter still goes toward white. What is darker than a brightening
/// round it (a crack across a lighter patch) is also kept as a ratio to that brightening, for targets that cannot brighten.
/// `part`: where relief.luma differs from relief.base; `size`: longer side of the geometry, pixels.
Shading split_light(const Relief& relief, float most, const cv::Rect& part, double size);

/// Takes `share` [0,1] of what each piece of the geometry brightens on the whole out of relief.luma: through water or varnish one
/// sees the target, where the source's own brightening would lie on it like milk. What is narrower than a piece's sixteenth, dark
/// edges and glints, keeps its ratio to what is round it. support: CV_32FC1, > 0 where the geometry is; it lies in pieces.
void let_through(Relief& relief, const cv::Mat& support, double share);

}  // namespace geometry_transfer
