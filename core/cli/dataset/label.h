// SPDX-License-Identifier: GPL-3.0-or-later
/// The label of an edit: the pixels that changed visibly. It depends only on the pictures before and after, so it works
/// for every way of editing.
#pragma once

#include <opencv2/core.hpp>

#include "geometry-transfer/image.h"

namespace geometry_transfer::cli {

/// Returns 255 where `edited` differs visibly from `target`, else 0; CV_8UC1 of their size.
///   edited, target   CV_32FC3 R'G'B' in [0,1]
///   support          CV_32FC1: > 0 where the edit may have changed something. The label lies inside it, except for
///                    filled holes
/// A change is measured in CIELAB, smoothed over a pixel. A region belongs to the label if all of it passes a low
/// threshold and some of it a high one. Both rise with the target's own spread of lightness around the pixel, because
/// coarse material hides more. Holes are filled, and specks below 12 pixels are dropped; thin lines stay whole.
cv::Mat visible_change(const cv::Mat& edited, const cv::Mat& target, const cv::Mat& support);

/// A layer on its target, and the change that it makes.
struct Change {
  cv::Rect area;           ///< of the target; the Mats below have its size
  cv::Mat edited, before;  ///< CV_32FC3 R'G'B'
  cv::Mat support;         ///< the layer's alpha
  cv::Mat label;           ///< see visible_change
};

/// Reads the target under the layer and around it. `margin`: extra pixels on each side, cut at the target's border.
Change change_of(const Raster& target, const Layer& layer, int margin);

}  // namespace geometry_transfer::cli
