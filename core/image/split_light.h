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

}  // namespace geometry_transfer
