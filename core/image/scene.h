// SPDX-License-Identifier: GPL-3.0-or-later
/// Checks a scene, and collects its references.
#pragma once

#include <vector>

#include "image/placement.h"

namespace geometry_transfer {

/// A reference with role geometry and its measured selection.
struct MeasuredReference {
  const Reference* reference;
  MaskShape shape;
};

/// Throws Error (input) if the target is missing, empty or not R'G'B'A.
void check_target(const Scene& scene);
/// Returns all references of role geometry. Throws Error (input) if there is none, or if one is empty or selects
/// nothing on its layer.
std::vector<MeasuredReference> geometries_of(const Scene& scene);
/// Returns all references of role texture, checked in the same way; one without a mask has its whole extent as bounds
/// and an empty outline.
std::vector<MeasuredReference> textures_of(const Scene& scene);
/// Returns the centre about which the request turns all geometries together. It is the mean of their centroids after
/// each one's own placement, weighted by area times scale squared, and rounded to a pixel corner.
cv::Point2d centre_of(const std::vector<MeasuredReference>& geometries);

}  // namespace geometry_transfer
