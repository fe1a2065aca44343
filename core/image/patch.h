// SPDX-License-Identifier: GPL-3.0-or-later
/// A reference before its placement, at the size at which its geometry is split into layers; and the layers placed over
/// the target. Bare material is the reference's surface outside the selection.
#pragma once

#include <opencv2/core.hpp>

#include "image/pixels.h"
#include "image/relief/layers.h"
#include "image/scene.h"

namespace geometry_transfer {

struct Patch {
  Rect area;         ///< reference's canvas pixels: the selection and a ring of bare material
  cv::Mat rgb;       ///< CV_32FC3
  cv::Mat known;     ///< CV_32FC1, 0 where rgb was filled; empty if all is known
  cv::Mat mask;      ///< CV_32FC1 in [0,1]; 0 where nothing is known
  double scale = 1;  ///< patch pixels per pixel of the reference's canvas
};

/// Reads the selection of `geometry` and a ring around it. The patch has `most_scale` pixels per canvas pixel, fewer
/// for a large geometry: its layers are smooth, so the split needs no more.
Patch read_patch(const MeasuredReference& geometry, double most_scale);

/// Warps `layers` of `patch` by `place` (reference's canvas to target's canvas) onto `area` of the target's canvas, at
/// `size` pixels. Values outside the patch are 0.
GeometryLayers place_layers(const GeometryLayers& layers, const Patch& patch, const Affine& place, const Rect& area,
                            cv::Size size);

/// Places one field of a patch in the same way. Beyond the patch it is 0, or the border's pixels if `repeat`.
cv::Mat place_field(const cv::Mat& field, const Patch& patch, const Affine& place, const Rect& area, cv::Size size,
                    bool repeat = false);

}  // namespace geometry_transfer
