// SPDX-License-Identifier: GPL-3.0-or-later
/// Turn the light of a geometry. A dent that is turned by 180 degrees keeps its shape, but the light still comes from where it
/// came. Without this, its shading turns along and it looks like a bump.
#pragma once

#include "image/pixels.h"
#include "image/relief/layers.h"

namespace geometry_transfer {

/// Measures from where a geometry is lit: the mean direction from its dark to its bright pixels nearby, summed over pairs of
/// pixels with a Gaussian of 16 pixels. On rendered holes, dents, cracks and blisters it lies along the light, within about 25
/// degrees. It points towards the light for what stands out, away from it for what lies deep.
///   layers  of the reference
///   tone    mean of the bare material, (0, 1]
/// Returns the direction (x right, y down). Its length says how much of the shading depends on the light, 0 to 1.5; it is 0
/// where pairs disagree or where nothing is bright.
cv::Point2d light_of(const GeometryLayers& layers, double tone);

/// Returns the direction, in the reference, from which the placed geometry has to be lit, of the length of `light`.
///   place       reference's canvas -> target's canvas
///   turn_light  degrees, counter-clockwise as seen, by which the target's light is turned against the reference's
cv::Point2d wanted_light(const cv::Point2d& light, const Affine& place, double turn_light);

/// Returns `layers` lit from `to` instead of `from`, in place of shade and light. It takes the shading for linear in the relief
/// h: S(f) = k |f| H(f) (1 + i u.f / |f|), with the occlusion k and the light u. So both spectra are multiplied by
/// (1 + i w to.f / |f|) / (1 + i w from.f / |f|), where w falls with the frequency, because fine cracks are dark from all
/// sides. Equal directions leave the layers as they are. No relit value lies beyond the layer's own extremes.
GeometryLayers relight(const GeometryLayers& layers, const cv::Point2d& from, const cv::Point2d& to);

/// Returns the layers of `split` as the light of the target shows them; see wanted_light().
inline GeometryLayers layers_lit(const SplitGeometry& split, const Affine& place, double turn_light) {
  const cv::Point2d light(split.decided.light_x, split.decided.light_y);
  return relight(split.layers, light, wanted_light(light, place, turn_light));
}

}  // namespace geometry_transfer
