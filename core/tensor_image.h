// SPDX-License-Identifier: GPL-3.0-or-later
/// Converts between cv::Mat (core/image) and Tensor (core/diffusion). No other file does.
#pragma once

#include <ATen/ATen.h>

#include <opencv2/core.hpp>

#include "geometry-transfer/image.h"

namespace geometry_transfer {

/// CV_32FC3 R'G'B' in [0,1] -> (1, 3, H, W) fp32 in [-1,1], resampled to `size`. Clips values outside [0,1], because
/// models are trained without them.
at::Tensor to_tensor(const cv::Mat& image, Size size);
/// CV_32FC1 in [0,1] -> (1, 1, H, W) fp32 in [0,1], area-averaged to `size`.
at::Tensor mask_to_tensor(const cv::Mat& mask, Size size);
/// (1, 3, H, W) fp32 in [-1,1] -> CV_32FC3 in [0,1], not clipped, at the tensor's own size.
cv::Mat to_mat(const at::Tensor& image);
/// Resamples `image` to `size`: area average when smaller, cubic when larger. Returns `image` itself if the size is
/// equal.
cv::Mat resampled(const cv::Mat& image, Size size);

}  // namespace geometry_transfer
