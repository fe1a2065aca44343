// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/relief/relight.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "image/constants.h"

namespace geometry_transfer {

using namespace constants;

namespace {

/// Returns `field` with no side above `side` pixels. `scale` receives the factor, (0, 1].
cv::Mat shrunk(const cv::Mat& field, int side, double& scale) {
  scale = std::min(1.0, double(side) / std::max(field.cols, field.rows));
  if (scale == 1) return field;
  cv::Mat out;
  cv::resize(field, out, {std::max(1, cvRound(field.cols * scale)), std::max(1, cvRound(field.rows * scale))}, 0, 0,
             cv::INTER_AREA);
  return out;
}

/// Returns the mean vector from a dark to a bright pixel over all pairs of them, in units of `sigma` (pixels). A pair's
/// weight is the product of both values and a Gaussian of their distance.
cv::Point2d mean_of_pairs(const cv::Mat& bright, const cv::Mat& dark, double sigma) {
  const int radius = std::max(1, int(2.5 * sigma));
  cv::Mat weight(1, 2 * radius + 1, CV_32FC1), moment = weight.clone();
  for (int i = -radius; i <= radius; ++i) {
    const float w = float(std::exp(-0.5 * i * i / (sigma * sigma)));
    // sepFilter2D correlates: from a dark pixel i to the right, the vector is -i.
    weight.at<float>(i + radius) = w, moment.at<float>(i + radius) = -float(i) * w;
  }
  const auto sum = [&](const cv::Mat& across, const cv::Mat& down) {
    cv::Mat out;
    cv::sepFilter2D(dark, out, CV_32F, across, down, {-1, -1}, 0, cv::BORDER_CONSTANT);
    return bright.dot(out);
  };
  const double total = sum(weight, weight) * sigma;
  if (total < 1e-6) return {};
  return {sum(moment, weight) / total, sum(weight, moment) / total};
}

}  // namespace

cv::Point2d light_of(const GeometryLayers& layers, double tone) {
  double scale;
  cv::Mat change;  // of brightness, relative to the tone: exp(shade) - 1 + light / tone
  cv::exp(shrunk(layers.shade, kLightSide, scale), change);
  change += shrunk(layers.light, kLightSide, scale) / std::max(tone, 0.1) - 1;
  const cv::Mat bright = cv::max(change, 0), dark = cv::max(-change, 0);
  const double all = cv::sum(cv::abs(change))[0], share = cv::sum(bright)[0] / std::max(all, 1e-9);

  const double length =
      std::min(kMostLight, kLightLength * share) * std::clamp((kPaleOnly - share) / (kPaleOnly - kPale), 0.0, 1.0);
  for (double sigma : kPairSigmas) {
    const cv::Point2d mean = mean_of_pairs(bright, dark, sigma * scale);
    const double agreement = std::hypot(mean.x, mean.y);
    if (agreement >= (sigma == kPairSigmas[0] ? kAgree : kWideAgree)) return mean * (length / agreement);
  }
  return {};
}

cv::Point2d wanted_light(const cv::Point2d& light, const Affine& place, double turn_light) {
  const double a = turn_light * CV_PI / 180, c = std::cos(a), s = std::sin(a);
  const cv::Point2d target(c * light.x + s * light.y, c * light.y - s * light.x);  // y points down
  const double determinant = place(0, 0) * place(1, 1) - place(0, 1) * place(1, 0);
  if (determinant == 0) return light;
  const cv::Point2d back((place(1, 1) * target.x - place(0, 1) * target.y) / determinant,
                         (place(0, 0) * target.y - place(1, 0) * target.x) / determinant);
  const double length = std::hypot(back.x, back.y);
  return length > 0 ? back * (std::hypot(light.x, light.y) / length) : light;
}

GeometryLayers relight(const GeometryLayers& layers, const cv::Point2d& from, const cv::Point2d& to) {
  if (std::hypot(to.x - from.x, to.y - from.y) < 1e-6) return layers;
  double scale;
  const cv::Mat shade = shrunk(layers.shade, kRelitSide, scale), light = shrunk(layers.light, kRelitSide, scale);
  // Both layers are real, so one complex transform carries them: shade + i light.
  const cv::Size size(cv::getOptimalDFTSize(shade.cols + kRelightPad), cv::getOptimalDFTSize(shade.rows + kRelightPad));
  cv::Mat field = cv::Mat::zeros(size, CV_32FC2), inside = field({0, 0, shade.cols, shade.rows});
  cv::merge(std::vector<cv::Mat>{shade, light}, inside);
  cv::dft(field, field);
  const double fine = kFineShading / scale;
  for (int y = 0; y < size.height; ++y) {
    const double fy = double(y <= size.height / 2 ? y : y - size.height) / size.height;
    cv::Vec2f* row = field.ptr<cv::Vec2f>(y);
    for (int x = 0; x < size.width; ++x) {
      const double fx = double(x <= size.width / 2 ? x : x - size.width) / size.width, f = std::hypot(fx, fy);
      if (f == 0) continue;
      const double w = 1 / (1 + f * f / (fine * fine)), a = w * (to.x * fx + to.y * fy) / f,
                   b = w * (from.x * fx + from.y * fy) / f;
      // (1 + ia) / (1 + ib)
      const double real = (1 + a * b) / (1 + b * b), imaginary = (a - b) / (1 + b * b);
      row[x] = {float(real * row[x][0] - imaginary * row[x][1]), float(real * row[x][1] + imaginary * row[x][0])};
    }
  }
  cv::idft(field, field, cv::DFT_SCALE);
  std::vector<cv::Mat> turned;
  cv::split(field({0, 0, shade.cols, shade.rows}), turned);

  GeometryLayers out;
  out.own = layers.own;
  // Keep each relit layer within the layer's own extremes and 0, because the photograph shows nothing beyond them.
  const auto changed = [&](const cv::Mat& layer, const cv::Mat& before, const cv::Mat& after) {
    cv::Mat change = after - before;
    if (change.size() != layer.size()) cv::resize(change, change, layer.size(), 0, 0, cv::INTER_LINEAR);
    double darkest, brightest;
    cv::minMaxLoc(layer, &darkest, &brightest);
    return cv::Mat(cv::min(cv::max(layer + change, std::min(0.0, darkest)), std::max(0.0, brightest)));
  };
  out.shade = changed(layers.shade, shade, turned[0]);
  out.light = changed(layers.light, light, turned[1]);
  return out;
}

}  // namespace geometry_transfer
