// SPDX-License-Identifier: GPL-3.0-or-later
#include "tensor_image.h"

#include <opencv2/imgproc.hpp>

namespace geometry_transfer {

cv::Mat resampled(const cv::Mat& image, Size size) {
  if (image.cols == size.width && image.rows == size.height) return image;
  const bool smaller = static_cast<int64_t>(size.width) * size.height < static_cast<int64_t>(image.cols) * image.rows;
  cv::Mat resized;
  cv::resize(image, resized, {size.width, size.height}, 0, 0, smaller ? cv::INTER_AREA : cv::INTER_CUBIC);
  return resized;
}

at::Tensor to_tensor(const cv::Mat& image, Size size) {
  const cv::Mat at_size = resampled(image, size);
  const at::Tensor pixels = at::from_blob(
      at_size.data, {1, size.height, size.width, 3},
      {static_cast<int64_t>(at_size.step1()) * size.height, static_cast<int64_t>(at_size.step1()), 3, 1}, at::kFloat);
  return pixels.permute({0, 3, 1, 2}).contiguous().clamp_(0, 1).mul_(2).sub_(1);
}

at::Tensor mask_to_tensor(const cv::Mat& mask, Size size) {
  const cv::Mat at_size = resampled(mask, size);
  const at::Tensor values =
      at::from_blob(at_size.data, {1, 1, size.height, size.width}, {0, 0, static_cast<int64_t>(at_size.step1()), 1}, at::kFloat);
  return values.clone().clamp_(0, 1);
}

cv::Mat to_mat(const at::Tensor& image) {
  const at::Tensor pixels = ((image[0] + 1) / 2).permute({1, 2, 0}).contiguous();
  return cv::Mat(static_cast<int>(pixels.size(0)), static_cast<int>(pixels.size(1)), CV_32FC3, pixels.data_ptr<float>()).clone();
}

}  // namespace geometry_transfer
