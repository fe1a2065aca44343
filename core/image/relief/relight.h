// SPDX-License-Identifier: GPL-3.0-or-later
/// Lights a turned geometry from the same side as before. Without this, the shading turns with the geometry, and a dent
/// that is turned by 180 degrees looks like a bump.
#pragma once

#include "image/pixels.h"
#include "image/relief/layers.h"

namespace geometry_transfer {

/// Measures the direction of the light on a geometry: the mean vector from dark to bright pixels nearby. It points
/// towards the light for a bump, and away from it for a dent.
///   layers  of the reference
///   tone    mean of the bare material, (0, 1]
/// Returns the direction (x right, y down). Its length, 0 to 1.5, is the strength of the shading that depends on the
/// light's direction, divided by the strength of the rest. It is 0 if the pairs disagree, if nothing is bright, or if
/// nearly all is bright.
cv::Point2d light_of(const GeometryLayers& layers, double tone);

/// Returns the light for the unplaced geometry that becomes the target's light when the geometry is placed. It is as
/// long as `light`, the reference's light.
///   place       reference's canvas -> target's canvas
///   turn_light  degrees, counter-clockwise on screen, from the reference's light to the target's
cv::Point2d wanted_light(const cv::Point2d& light, const Affine& place, double turn_light);

/// Returns `layers` as they would be with the light `to` instead of `from`. The model is a shading that is linear in
/// the relief h: S(f) = k |f| H(f) (1 + i u.f / |f|), with the occlusion k and the light u. So the spectra of shade and
/// light are multiplied by (1 + i w to.f / |f|) / (1 + i w from.f / |f|). The weight w falls with the frequency,
/// because fine cracks are dark under any light. Equal lights return the same layers. Values stay within each layer's
/// extremes.
GeometryLayers relight(const GeometryLayers& layers, const cv::Point2d& from, const cv::Point2d& to);

/// Returns the layers of `split` as the light of the target shows them; see wanted_light().
inline GeometryLayers layers_lit(const SplitGeometry& split, const Affine& place, double turn_light) {
  const cv::Point2d light(split.decided.light_x, split.decided.light_y);
  return relight(split.layers, light, wanted_light(light, place, turn_light));
}

}  // namespace geometry_transfer
