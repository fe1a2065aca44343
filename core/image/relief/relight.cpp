// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/relief/relight.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace geometry_transfer {
namespace {

/// Sides of the pictures in which the light is measured and turned, in pixels. The change of the shading is smooth, so larger
/// layers are shrunk to them.
constexpr int kMeasured = 128, kTurned = 256;
/// Standard deviations of the Gaussian over pairs of dark and bright pixels, in patch pixels; the first one at which the pairs
/// agree counts. Of 4, 8 and 16, the last one named the direction of 22 rendered cases best; wide dents need more.
constexpr double kPairs[] = {16, 32, 64};
/// Length of the mean way from which a direction counts, for the first and for wider Gaussians. Below it, rendered cases had no
/// right one; nets and scratches agree by chance on a wide one.
constexpr double kAgree = 0.25, kAgreeWide = 0.6;
/// The length of the light is kLength times the bright share of the shading, at most kMost. It falls to 0 from kPale to
/// kPaleOnly, because what is bright all over is paler matter, not light. Chosen on 77 rendered cases that were turned or
/// mirrored.
constexpr double kLength = 12, kMost = 1.5, kPale = 0.6, kPaleOnly = 0.8;
/// Cycles a patch pixel at which w is a half; of 0.02 to 0.1, 0.06 was best on the same cases.
constexpr double kFine = 0.06;
/// Pixels of zeros round the picture, because the transform is periodic.
constexpr int kPad = 24;

cv::Mat shrunk(const cv::Mat& field, int side, double& scale) {
  scale = std::min(1.0, double(side) / std::max(field.cols, field.rows));
  if (scale == 1) return field;
  cv::Mat out;
  cv::resize(field, out, {std::max(1, cvRound(field.cols * scale)), std::max(1, cvRound(field.rows * scale))}, 0, 0,
             cv::INTER_AREA);
  return out;
}

/// Returns the mean, over pairs of a bright and a dark pixel, of the way from the dark to the bright one, in units of `sigma`
/// (pixels). A pair counts by both of its values and by a Gaussian of its distance.
cv::Point2d mean_of_pairs(const cv::Mat& bright, const cv::Mat& dark, double sigma) {
  const int radius = std::max(1, int(2.5 * sigma));
  cv::Mat weight(1, 2 * radius + 1, CV_32FC1), moment = weight.clone();
  for (int i = -radius; i <= radius; ++i) {
    const float w = float(std::exp(-0.5 * i * i / (sigma * sigma)));
    // sepFilter2D correlates: from a dark pixel i to the right, the way is -i.
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
  cv::Mat lit;
  cv::exp(shrunk(layers.shade, kMeasured, scale), lit);
  lit += shrunk(layers.light, kMeasured, scale) / std::max(tone, 0.1) - 1;
  const cv::Mat bright = cv::max(lit, 0), dark = cv::max(-lit, 0);
  const double all = cv::sum(cv::abs(lit))[0], share = cv::sum(bright)[0] / std::max(all, 1e-9);

  const double length = std::min(kMost, kLength * share) * std::clamp((kPaleOnly - share) / (kPaleOnly - kPale), 0.0, 1.0);
  for (double pairs : kPairs) {
    const cv::Point2d sum = mean_of_pairs(bright, dark, pairs * scale);
    const double agree = std::hypot(sum.x, sum.y);
    if (agree >= (pairs == kPairs[0] ? kAgree : kAgreeWide)) return sum * (length / agree);
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
  const cv::Mat shade = shrunk(layers.shade, kTurned, scale), light = shrunk(layers.light, kTurned, scale);
  // Both layers are real, so one complex transform carries them: shade + i light.
  const cv::Size size(cv::getOptimalDFTSize(shade.cols + kPad), cv::getOptimalDFTSize(shade.rows + kPad));
  cv::Mat field = cv::Mat::zeros(size, CV_32FC2), inside = field({0, 0, shade.cols, shade.rows});
  cv::merge(std::vector<cv::Mat>{shade, light}, inside);
  cv::dft(field, field);
  const double fine = kFine / scale;
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
  // A relit layer is nowhere brighter or darker than the layer was somewhere, or 0: the photograph shows no more than that.
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
