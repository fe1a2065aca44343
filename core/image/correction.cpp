// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "image/constants.h"
#include "image/image_pipeline.h"
#include "image/pixels.h"

namespace geometry_transfer {

cv::Mat shadows_only(const cv::Mat& difference, const cv::Mat& edited, const cv::Mat& target) {
  const cv::Mat change = luma_of(difference), before = luma_of(target), after = luma_of(edited);
  cv::Mat darkening(difference.size(), CV_32FC3);
  for (int y = 0; y < darkening.rows; ++y) {
    const float *d = change.ptr<float>(y), *b = before.ptr<float>(y), *a = after.ptr<float>(y);
    auto* out = darkening.ptr<cv::Vec3f>(y);
    for (int x = 0; x < darkening.cols; ++x) {
      const float shadow = std::clamp((b[x] - a[x]) / constants::kFullShadow, 0.0f, 1.0f);
      const float left = std::clamp(a[x] / std::max(b[x], constants::kLeastLuma), 0.0f, 1.0f);
      out[x] = cv::Vec3f::all(std::min(d[x], 0.0f) * shadow * left * left * left * left);
    }
  }
  return darkening;
}

}  // namespace geometry_transfer
