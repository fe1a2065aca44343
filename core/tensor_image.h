// SPDX-License-Identifier: GPL-3.0-or-later
/// The only crossing between cv::Mat (core/image) and Tensor (core/diffusion).
#pragma once

#include <ATen/ATen.h>

#include <opencv2/core.hpp>

#include "geometry-transfer/image.h"

namespace geometry_transfer {

/// CV_32FC3 R'G'B' in [0,1] -> (1, 3, H, W) fp32 in [-1,1], resampled to `size`. Values outside [0,1] are clipped: the model
/// knows none.
at::Tensor to_tensor(const cv::Mat& image, Size size);
/// CV_32FC1 in [0,1] -> (1, 1, H, W) fp32 in [0,1], area-averaged to `size`.
at::Tensor mask_to_tensor(const cv::Mat& mask, Size size);
/// (1, 3, H, W) fp32 in [-1,1] -> CV_32FC3 in [0,1], not clipped, at the tensor's own size.
cv::Mat to_mat(const at::Tensor& image);
/// `image` at `size`: averaged when smaller, cubic when larger, itself when equal.
cv::Mat resampled(const cv::Mat& image, Size size);

}  // namespace geometry_transfer
