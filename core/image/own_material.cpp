// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/own_material.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "image/mask.h"
#include "image/pixels.h"
#include "image/relief.h"

namespace geometry_transfer {
namespace {

using Feature = cv::Vec4f;  ///< the channels less luma, and half the luma: shade tells less of a material than colour
constexpr int kMostSamples = 20000;

Feature feature(const cv::Vec3f& rgb, float luma) { return {rgb[0] - luma, rgb[1] - luma, rgb[2] - luma, 0.5f * luma}; }

/// The selection's pixels, every n-th where there are many, and whether each lies along its border.
struct Samples {
  std::vector<Feature> features;
  std::vector<bool> along_border;
};

Samples samples_of(const cv::Mat& rgb, const cv::Mat& luma, const cv::Mat& inside, const cv::Mat& known) {
  constexpr double kBand = 0.15, kNarrowest = 2;  // of the selection's inner radius; pixels
  cv::Mat framed;                                 // a selection of everything has its border where the picture ends
  cv::copyMakeBorder(inside, framed, 1, 1, 1, 1, cv::BORDER_CONSTANT, 0);
  const cv::Mat depth = distance_outside(1 - framed)(cv::Rect({1, 1}, inside.size()));
  double deepest = 0;
  cv::minMaxLoc(depth, nullptr, &deepest, nullptr, nullptr, inside > 0);
  const float band = float(std::max(kNarrowest, kBand * deepest));
  const int every = std::max(1, cv::countNonZero(inside) / kMostSamples);
  Samples s;
  int at = 0;
  for (int y = 0; y < rgb.rows; ++y)
    for (int x = 0; x < rgb.cols; ++x) {
      if (!(inside.at<float>(y, x) > 0) || (!known.empty() && known.at<float>(y, x) < 0.99f) || at++ % every) continue;
      s.features.push_back(feature(rgb.at<cv::Vec3f>(y, x), luma.at<float>(y, x)));
      s.along_border.push_back(depth.at<float>(y, x) <= band);
    }
  return s;
}

/// Labels 0 and 1: Otsu's threshold along the widest direction, then 2-means from there. No chance in it.
cv::Mat two_means(const std::vector<Feature>& features) {
  const cv::Mat rows = cv::Mat(features).reshape(1);
  const cv::PCA axes(rows, cv::Mat(), cv::PCA::DATA_AS_ROW, 1);
  cv::Mat along = axes.project(rows), bytes, labels;
  cv::normalize(along, bytes, 0, 255, cv::NORM_MINMAX, CV_8U);
  cv::threshold(bytes, bytes, 0, 1, cv::THRESH_BINARY | cv::THRESH_OTSU);
  bytes.convertTo(labels, CV_32S);
  const int ones = cv::countNonZero(labels);
  if (ones > 0 && ones < labels.rows)
    cv::kmeans(rows, 2, labels, {cv::TermCriteria::COUNT | cv::TermCriteria::EPS, 50, 1e-4}, 1, cv::KMEANS_USE_INITIAL_LABELS);
  return labels;
}

struct Material {
  cv::Vec4d mean;
  cv::Matx44d spread;  ///< covariance
};

Material material(const Samples& s, const cv::Mat& labels, int label) {
  std::vector<Feature> of;
  for (size_t i = 0; i < s.features.size(); ++i)
    if (labels.at<int>(int(i)) == label) of.push_back(s.features[i]);
  cv::Mat spread, mean;
  cv::calcCovarMatrix(cv::Mat(of).reshape(1), spread, mean, cv::COVAR_NORMAL | cv::COVAR_ROWS | cv::COVAR_SCALE, CV_64F);
  return {cv::Vec4d(mean.ptr<double>()), cv::Matx44d(spread.ptr<double>())};
}

int bare_label(const Samples& s, const cv::Mat& labels) {
  int count[2] = {0, 0};
  for (size_t i = 0; i < s.along_border.size(); ++i)
    if (s.along_border[i]) ++count[labels.at<int>(int(i))];
  return count[1] > count[0];
}

/// The colours without those of mixed pixels, which would leave a fringe of the source's paint: there, what lies beside them.
cv::Mat unmixed(const cv::Mat& rgb, const cv::Mat& share) {
  cv::Mat core, weight, colour = rgb.clone();
  cv::erode(share >= 1, core, cv::Mat::ones(3, 3, CV_8U));
  if (cv::countNonZero(core) == 0) return colour;
  core.convertTo(weight, CV_32F, 1 / 255.0);
  fill_unknown(colour, weight);
  return colour;
}

cv::Mat share_of(const cv::Mat& rgb, const cv::Mat& mask, const cv::Mat& support, const cv::Mat& known) {
  constexpr double kNoise = 1e-4;  // of a mean's square: two materials closer than this are one
  constexpr float kFrom = 0.25f, kTo = 0.75f;
  cv::Mat share = cv::Mat::zeros(rgb.size(), CV_32FC1), inside;
  cv::Mat(mask >= 0.5).convertTo(inside, CV_32F, 1 / 255.0);
  const cv::Mat luma = luma_of(rgb);
  const Samples samples = samples_of(rgb, luma, inside, known);
  if (samples.features.size() < 16) return share;
  const cv::Mat labels = two_means(samples.features);
  const int ones = cv::countNonZero(labels);
  if (ones == 0 || ones == labels.rows) return share;

  const int bare = bare_label(samples, labels);
  const Material from = material(samples, labels, bare), to = material(samples, labels, 1 - bare);
  const cv::Vec4d step = to.mean - from.mean;
  if (step.dot(step) < kNoise) return share;
  const cv::Vec4d across = (from.spread + to.spread + kNoise * cv::Matx44d::eye()).solve(step, cv::DECOMP_CHOLESKY);
  const double whole = across.dot(step);
  if (!(whole > 0)) return share;
  for (int y = 0; y < rgb.rows; ++y) {
    const float *s = support.ptr<float>(y), *k = known.empty() ? nullptr : known.ptr<float>(y);
    float* out = share.ptr<float>(y);
    for (int x = 0; x < rgb.cols; ++x) {
      if (!(s[x] > 0) || (k && k[x] < 0.99f)) continue;
      const cv::Vec4d f = feature(rgb.at<cv::Vec3f>(y, x), luma.at<float>(y, x));
      out[x] = std::clamp((float((f - from.mean).dot(across) / whole) - kFrom) / (kTo - kFrom), 0.f, 1.f);
    }
  }
  return share;
}

}  // namespace

OwnMaterial own_material(const cv::Mat& rgb, const cv::Mat& mask, const cv::Mat& support, const cv::Mat& known) {
  const cv::Mat share = share_of(rgb, mask, support, known);
  return {unmixed(rgb, share), share};
}

}  // namespace geometry_transfer
