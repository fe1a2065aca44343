// SPDX-License-Identifier: GPL-3.0-or-later
/// Own material: pixels of the reference that have a colour of their own and therefore hide the target. Pictures are
/// CV_32FC3 in [0,1]; `tone` is the colour of the bare material everywhere (bare_tone in layers.h); `soft` is the
/// selection with soft edges, CV_32FC1.
#pragma once

#include <opencv2/core.hpp>

#include "image/relief/layers.h"

namespace geometry_transfer {

/// Returns the share of each pixel, [0,1], whose colour neither shade nor white light explains: rust, stains, laid-bare
/// paint. The colour counts where it is clearly above that of the bare material; `bare`: CV_32FC1, 1 there.
cv::Mat own_colour(const cv::Mat& source, const cv::Mat& tone, const cv::Mat& soft, const cv::Mat& bare);

/// Raises own material towards `wanted`, CV_32FC1 in [0,1], where it is below. `part`: 0, not at all; 1, all the way.
void raise_own(GeometryLayers& layers, const cv::Mat& wanted, float part = 1);

/// Returns for each pixel the share of another material, judged by the difference in colour from the tone: 0 up to
/// kSameMaterial, 1 from kOtherMaterial on.
cv::Mat other_material(const cv::Mat& source, const cv::Mat& tone, const cv::Mat& soft);

/// Applies the slider *Keep own material*. Below the network's decision it reduces own material. Above it, it also adds
/// a part of `differs` (see other_material) to own material, all of it at 1. The slider then has an effect where the
/// network found no own material.
void adjust_own(GeometryLayers& layers, const cv::Mat& differs, double value, double decided);

}  // namespace geometry_transfer
