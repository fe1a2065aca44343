// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/mask.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "image/constants.h"

namespace geometry_transfer {

cv::Mat distance_outside(const cv::Mat& mask) {
  cv::Mat outside = mask < constants::kSelected, distance;
  if (cv::countNonZero(outside) == int(outside.total())) return cv::Mat(mask.size(), CV_32FC1, cv::Scalar(1e9));
  cv::distanceTransform(outside, distance, cv::DIST_L2, cv::DIST_MASK_PRECISE);
  return distance;
}

cv::Mat grown(const cv::Mat& mask, double pixels) {
  if (pixels == 0) return mask;
  if (pixels > 0) {
    cv::Mat ramp = (pixels + 1) - distance_outside(mask);
    ramp = cv::min(cv::max(ramp, 0), 1);
    return cv::max(mask, ramp);
  }
  cv::Mat ramp = distance_outside(1 - mask) + pixels;
  ramp = cv::min(cv::max(ramp, 0), 1);
  return cv::min(mask, ramp);
}

cv::Mat feathered(const cv::Mat& mask, double feather) {
  if (feather <= 0) return mask.clone();
  const cv::Mat distance = distance_outside(mask);
  cv::Mat alpha(mask.size(), CV_32FC1);
  for (int y = 0; y < mask.rows; ++y) {
    const float* d = distance.ptr<float>(y);
    const float* m = mask.ptr<float>(y);
    float* a = alpha.ptr<float>(y);
    for (int x = 0; x < mask.cols; ++x) {
      const float t = std::clamp(1 - d[x] / (float(feather) + 1), 0.f, 1.f);
      a[x] = std::max(m[x], smoothstep(t));
    }
  }
  return alpha;
}

}  // namespace geometry_transfer
