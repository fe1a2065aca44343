// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/relief/own_material.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "image/constants.h"
#include "image/mask.h"

namespace geometry_transfer {
using namespace constants;
namespace {

/// Returns the colour without its mean over the channels, which is 0 for grey.
cv::Vec3f chroma_of(const cv::Vec3f& colour) { return colour - cv::Vec3f::all((colour[0] + colour[1] + colour[2]) / 3); }

/// The chromas of a picture's bare material, as a map of their plane.
class BareChromas {
 public:
  BareChromas(const cv::Mat& picture, const cv::Mat& bare) {
    cv::Mat count = cv::Mat::zeros(kChromaCells, kChromaCells, CV_32FC1), absent;
    double total = 0;
    for (int y = 0; y < picture.rows; ++y)
      for (int x = 0; x < picture.cols; ++x)
        if (bare.at<float>(y, x) > kSelected) count.at<float>(cell(chroma_of(picture.at<cv::Vec3f>(y, x)))) += 1, ++total;
    cv::Mat(count < std::max(1.0, kRareChroma * total)).convertTo(absent, CV_8U);
    cv::distanceTransform(absent, distance_, cv::DIST_L2, cv::DIST_MASK_5);
  }
  /// Returns the distance of `chroma` from the nearest one of the bare material, display values.
  float distance(const cv::Vec3f& chroma) const { return distance_.at<float>(cell(chroma)) * 2 / kChromaCells; }

 private:
  /// Red and blue tell a chroma, because the three channels' sum is 0. Both lie in [-1, 1].
  static cv::Point cell(const cv::Vec3f& chroma) {
    const auto index = [](float v) { return std::clamp(int((v + 1) / 2 * kChromaCells), 0, kChromaCells - 1); };
    return {index(chroma[0]), index(chroma[2])};
  }
  cv::Mat distance_;  // in cells
};

/// Returns for each pixel how far its chroma is from all that the bare material explains: its own chromas, and the
/// tone there under any shade and white light. A shaded and lit pixel is f * tone + w, so it has f times the tone's
/// chroma.
cv::Mat unexplained_colour(const cv::Mat& source, const cv::Mat& tone, const cv::Mat& bare) {
  cv::Mat smooth, out(source.size(), CV_32FC1);
  cv::GaussianBlur(source, smooth, {}, kHueSigma);
  const BareChromas chromas(smooth, bare);
  for (int y = 0; y < out.rows; ++y)
    for (int x = 0; x < out.cols; ++x) {
      const cv::Vec3f chroma = chroma_of(smooth.at<cv::Vec3f>(y, x)), of_tone = chroma_of(tone.at<cv::Vec3f>(y, x));
      // Near grey the direction of the tone's chroma is noise, so it explains less.
      const float factor = chroma.dot(of_tone) / (of_tone.dot(of_tone) + kGreyChroma * kGreyChroma);
      out.at<float>(y, x) = std::min(float(cv::norm(chroma - of_tone * std::max(0.0f, factor))), chromas.distance(chroma));
    }
  return out;
}

}  // namespace

cv::Mat own_colour(const cv::Mat& source, const cv::Mat& tone, const cv::Mat& soft, const cv::Mat& bare) {
  cv::Mat share = unexplained_colour(source, tone, bare);
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

void raise_own(GeometryLayers& layers, const cv::Mat& wanted, float part) {
  for (int y = 0; y < wanted.rows; ++y)
    for (int x = 0; x < wanted.cols; ++x) {
      float& own = layers.own.at<float>(y, x);
      const float added = part * std::max(0.0f, wanted.at<float>(y, x) - own);
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
  raise_own(layers, differs, float((value - decided) / (1 - decided)));
}

}  // namespace geometry_transfer
