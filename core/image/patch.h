// SPDX-License-Identifier: GPL-3.0-or-later
/// A reference as it lies, at the size at which its geometry is split into layers; and the layers placed over the target.
#pragma once

#include <opencv2/core.hpp>

#include "image/pixels.h"
#include "image/relief/layers.h"
#include "image/scene.h"

namespace geometry_transfer {

struct Patch {
  Rect area;         ///< of the reference's canvas: the selection and bare material round it
  cv::Mat rgb;       ///< CV_32FC3
  cv::Mat known;     ///< CV_32FC1, 0 where rgb was filled; empty: all is known
  cv::Mat mask;      ///< CV_32FC1 in [0,1]; 0 where nothing is known
  double scale = 1;  ///< patch pixels per pixel of the reference's canvas
};

/// Reads the selection of `geometry` with enough round it. The patch has `most_scale` pixels per canvas pixel, or fewer where the
/// geometry is so large that its layers are smooth at a smaller size: no more of the reference is read than the split needs.
Patch read_patch(const Geometry& geometry, double most_scale);

/// `layers` of `patch` carried by `place` (reference's canvas to target's canvas), seen over `area` of the target's canvas at
/// `size` pixels. 0 outside the patch.
GeometryLayers place_layers(const GeometryLayers& layers, const Patch& patch, const Affine& place, const Rect& area,
                            cv::Size size);

/// One field of a patch, placed in the same way. `outside`: its value beyond the patch; or the border's pixels where `repeat`.
cv::Mat place_field(const cv::Mat& field, const Patch& patch, const Affine& place, const Rect& area, cv::Size size,
                    bool repeat = false);

}  // namespace geometry_transfer
