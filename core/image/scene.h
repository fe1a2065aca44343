// SPDX-License-Identifier: GPL-3.0-or-later
/// What a scene holds, checked.
#pragma once

#include <vector>

#include "image/placement.h"

namespace geometry_transfer {

/// A reference with role geometry and its measured selection.
struct Geometry {
  const Reference* reference;
  MaskShape shape;
};

/// Throws Error (input) where the target is missing, has no pixels or is no colour.
void check_target(const Scene& scene);
/// All geometries. Throws Error (input) where one is missing or empty, or selects nothing on its layer.
std::vector<Geometry> geometries_of(const Scene& scene);
/// Texture references, checked in the same way; one without a mask has its whole extent as bounds and an empty outline.
std::vector<Geometry> textures_of(const Scene& scene);
/// About which the request's placement turns all geometries together: the centre of their centroids after each one's own
/// placement, weighted by area. For one geometry: its centroid, carried.
cv::Point2d centre_of(const std::vector<Geometry>& geometries);

}  // namespace geometry_transfer
