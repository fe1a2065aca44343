// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/relief.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace geometry_transfer {
namespace {

cv::Mat dilated(const cv::Mat& binary, int grow) {
  cv::Mat out;
  cv::dilate(binary, out, cv::Mat::ones(2 * grow + 1, 2 * grow + 1, CV_8U));
  return out;
}

cv::Mat gaussian(const cv::Mat& m, double sigma) {
  cv::Mat out;
  cv::GaussianBlur(m, out, cv::Size(), sigma);
  return out;
}

/// Push-pull, then `sweeps` of a 3 x 3 mean where not known.
cv::Mat swept(const cv::Mat& x, const cv::Mat& known, int sweeps) {
  std::vector<cv::Mat> sums = {x.mul(known)}, weights = {known};
  while (sums.back().rows > 2) {
    cv::Mat s, w;
    cv::resize(sums.back(), s, cv::Size(), 0.5, 0.5, cv::INTER_AREA);
    cv::resize(weights.back(), w, cv::Size(), 0.5, 0.5, cv::INTER_AREA);
    sums.push_back(s), weights.push_back(w);
  }
  cv::Mat fill = sums.back() / cv::max(weights.back(), 1e-6);
  for (int i = int(sums.size()) - 2; i >= 0; --i) {
    cv::Mat up;
    cv::resize(fill, up, sums[i].size());
    const cv::Mat missing = 1 - cv::min(weights[i], 1);
    fill = sums[i] + missing.mul(up);
  }
  const cv::Mat fixed = known != 0;
  for (int i = 0; i < sweeps; ++i) {
    cv::Mat mean;
    cv::blur(fill, mean, {3, 3});
    x.copyTo(mean, fixed);
    fill = mean;
  }
  return fill;
}

/// v^3 / (v^2 + s^2): large values stay, values below s go.
cv::Mat kept(const cv::Mat& v, double s) {
  const cv::Mat square = v.mul(v);
  return square.mul(v) / (square + (s * s + 1e-12));
}

}  // namespace

cv::Mat luma_of(const cv::Mat& rgb) {
  cv::Mat luma;
  cv::transform(rgb, luma, cv::Matx13f(0.299f, 0.587f, 0.114f));
  return luma;
}

Relief relief(const cv::Mat& rgb, const cv::Mat& mask, double shrink) {
  constexpr int grow = 4;
  constexpr double sigma = 12, band = 1.5;
  constexpr int sweeps = 300;
  const cv::Mat luma = luma_of(rgb), bare = dilated(mask > 0, grow) == 0;
  cv::Mat known;
  bare.convertTo(known, CV_32F, 1 / 255.0);
  const cv::Mat low = gaussian(luma.mul(known), sigma) / cv::max(gaussian(known, sigma), 1e-3);
  Relief r;
  r.base = swept(low, known, sweeps);
  const cv::Mat difference = luma - r.base;
  cv::Scalar mean, deviation;
  cv::meanStdDev(difference, mean, deviation, bare);
  const cv::Mat coarse = gaussian(difference, band), fine = difference - coarse;
  r.luma = r.base + kept(coarse, 0.5 * shrink * deviation[0]) + kept(fine, shrink * deviation[0]);
  return r;
}

Shading shading_of(const Relief& relief) {
  Shading s;
  s.factor.create(relief.base.size(), CV_32FC1);
  s.light.create(relief.base.size(), CV_32FC1);
  for (int y = 0; y < relief.base.rows; ++y) {
    const float *base = relief.base.ptr<float>(y), *luma = relief.luma.ptr<float>(y);
    float *dark = s.factor.ptr<float>(y), *light = s.light.ptr<float>(y);
    for (int x = 0; x < relief.base.cols; ++x) {
      dark[x] = std::clamp(luma[x] / std::max(base[x], 1e-3f), 0.f, 1.f);
      light[x] = std::clamp((luma[x] - base[x]) / std::max(1 - base[x], 1e-3f), 0.f, 1.f);
    }
  }
  return s;
}

cv::Mat apply(const cv::Mat& target, const Shading& shading) {
  cv::Mat out(target.size(), CV_32FC3);
  for (int y = 0; y < target.rows; ++y) {
    const float *in = target.ptr<float>(y), *dark = shading.factor.ptr<float>(y), *light = shading.light.ptr<float>(y);
    float* o = out.ptr<float>(y);
    for (int x = 0; x < target.cols; ++x, in += 3, o += 3)
      for (int c = 0; c < 3; ++c) {
        const float g = in[c] * dark[x];
        o[c] = g + std::max(0.f, 1 - g) * light[x];
      }
  }
  return out;
}

}  // namespace geometry_transfer
