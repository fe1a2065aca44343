// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/relief/own_material.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "image/constants.h"
#include "image/mask.h"

namespace geometry_transfer {
using namespace constants;
namespace {

/// Returns for each pixel the length of the part of the colour that neither shade nor white light explains. A shaded
/// and lit pixel is f * tone + w for some f and w, so that part is perpendicular to both tone and white. The source is
/// blurred by kHueSigma first.
cv::Mat unexplained_colour(const cv::Mat& source, const cv::Mat& tone) {
  cv::Mat smooth, out(source.size(), CV_32FC1);
  cv::GaussianBlur(source, smooth, {}, kHueSigma);
  const cv::Vec3f white(1, 1, 1);
  for (int y = 0; y < out.rows; ++y)
    for (int x = 0; x < out.cols; ++x) {
      const cv::Vec3f s = smooth.at<cv::Vec3f>(y, x), t = tone.at<cv::Vec3f>(y, x);
      const float grey = (s[0] + s[1] + s[2]) / 3, tone_grey = (t[0] + t[1] + t[2]) / 3;
      const cv::Vec3f chroma = s - white * grey, tone_chroma = t - white * tone_grey;
      // Near grey the direction of the tone's chroma is noise, so it explains less.
      const float explained = chroma.dot(tone_chroma) / (tone_chroma.dot(tone_chroma) + kGreyChroma * kGreyChroma);
      out.at<float>(y, x) = float(cv::norm(chroma - tone_chroma * std::max(0.0f, explained)));
    }
  return out;
}

}  // namespace

cv::Mat own_colour(const cv::Mat& source, const cv::Mat& tone, const cv::Mat& soft, const cv::Mat& bare) {
  cv::Mat share = unexplained_colour(source, tone);
  cv::Scalar mean, spread;
  cv::meanStdDev(share, mean, spread, bare > kSelected);
  const float from = std::max(kLeastHue, float(mean[0] + kHueSpreads * spread[0]));
  for (int y = 0; y < share.rows; ++y)
    for (int x = 0; x < share.cols; ++x) {
      float& s = share.at<float>(y, x);
      s = smoothstep(std::clamp((s - from) / kFullHue, 0.0f, 1.0f)) * std::min(1.0f, soft.at<float>(y, x));
    }
  return share;
}

void keep_own_colour(GeometryLayers& layers, const cv::Mat& colour) {
  for (int y = 0; y < colour.rows; ++y)
    for (int x = 0; x < colour.cols; ++x) {
      float& own = layers.own.at<float>(y, x);
      const float added = std::max(0.0f, colour.at<float>(y, x) - own);
      own += added;
      layers.light.at<float>(y, x) *= 1 - added;  // the photograph holds this material's light already
    }
}

cv::Mat other_material(const cv::Mat& source, const cv::Mat& tone, const cv::Mat& soft) {
  cv::Mat smooth, difference, share(source.size(), CV_32FC1);
  cv::GaussianBlur(source, smooth, {}, kOtherSigma);
  cv::absdiff(smooth, tone, difference);
  for (int y = 0; y < share.rows; ++y)
    for (int x = 0; x < share.cols; ++x) {
      const cv::Vec3f d = difference.at<cv::Vec3f>(y, x);
      const float t = std::clamp((std::max({d[0], d[1], d[2]}) - kSameMaterial) / (kOtherMaterial - kSameMaterial), 0.0f, 1.0f);
      share.at<float>(y, x) = smoothstep(t) * std::min(1.0f, soft.at<float>(y, x));
    }
  return share;
}

void adjust_own(GeometryLayers& layers, const cv::Mat& differs, double value, double decided) {
  if (value <= decided) {
    layers.own = layers.own * (decided > 0 ? value / decided : 0);
    return;
  }
  const float more = float((value - decided) / (1 - decided));
  for (int y = 0; y < differs.rows; ++y)
    for (int x = 0; x < differs.cols; ++x) {
      float& own = layers.own.at<float>(y, x);
      const float added = more * std::max(0.0f, differs.at<float>(y, x) - own);
      own += added;
      layers.light.at<float>(y, x) *= 1 - added;  // the photograph holds this material's light already
    }
}

}  // namespace geometry_transfer
