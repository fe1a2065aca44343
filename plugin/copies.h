// SPDX-License-Identifier: GPL-3.0-or-later
/// Several copies of one geometry, scattered around its place.
#pragma once

#include <vector>

#include "geometry-transfer/image.h"
#include "geometry-transfer/request.h"

namespace geometry_transfer {

struct Copies {
  static constexpr int kMost = 50;
  int count = 1;      ///< copies in all, 1 to kMost
  double spread = 3;  ///< greatest distance from the first copy, in lengths of the geometry
  int seed = 1;       ///< another seed is another arrangement
};

/// Returns one placement for each copy. The first is `first`. The others have random places within the spread, and
/// differ a little in size (0.76 to 1.32 times) and angle (up to 20 degrees). They overlap as little as the spread and
/// the target allow. The same arguments give the same placements.
///   selected  bounds of the geometry on the target's canvas before the placement
///   target    extent of the target: no copy's middle lies outside, as far as the first one does not
std::vector<Placement> placements_of(const Copies& copies, const Placement& first, const Rect& selected, const Rect& target);

}  // namespace geometry_transfer
