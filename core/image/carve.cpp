// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/carve.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "image/border.h"
#include "image/grain.h"
#include "image/membrane.h"
#include "image/split_light.h"

namespace geometry_transfer {
namespace {

/// Selections count from here on: less is the tail of a feather.
constexpr double kSelected = 0.02;

cv::Mat gaussian(const cv::Mat& m, double sigma) {
  cv::Mat out;
  cv::GaussianBlur(m, out, cv::Size(), sigma);
  return out;
}

/// The bare material's tone everywhere: a normalised low-pass of what is bare, filled in under the rest. Worked out small, as it
/// is smooth.
cv::Mat base_of(const cv::Mat& plane, const cv::Mat& bare) {
  constexpr double kSide = 320, kSigma = 8;
  const double shrink = std::min(1.0, kSide / std::max(plane.rows, plane.cols));
  cv::Mat small, weight, known;
  bare.convertTo(known, CV_32F, 1 / 255.0);
  const cv::Mat weighted = plane.mul(known);
  const cv::Size size(std::max(1, cvRound(shrink * plane.cols)), std::max(1, cvRound(shrink * plane.rows)));
  cv::resize(weighted, small, size, 0, 0, cv::INTER_AREA);
  cv::resize(known, weight, size, 0, 0, cv::INTER_AREA);
  const cv::Mat denominator = gaussian(weight, kSigma);
  const cv::Mat low = gaussian(small, kSigma) / cv::max(denominator, 1e-3);
  // Fixed where anything bare is near; a source without bare material takes its own mean.
  const cv::Mat open = (weight < 0.5) | (denominator <= 1e-3);
  cv::Mat fill =
      cv::countNonZero(open) == int(open.total()) ? cv::Mat(low.size(), CV_32FC1, cv::mean(plane)) : membrane(low, open);
  if (fill.size() == plane.size()) return fill;
  cv::Mat full;
  cv::resize(fill, full, plane.size(), 0, 0, cv::INTER_CUBIC);
  return full;
}

/// The most that light falling more steeply brightens a surface, in its own colour. More is a highlight and has the light's.
constexpr float kMostDiffuse = 1.5f;

/// How much of a geometry's brightening is the light's own white (a wet or glossy surface: water, varnish) and not more light on
/// the material: [0,1], one number a geometry. Over its bright pixels the mean change of the three channels is taken as a B + b
/// (1 - B), B the bare material: a scales the material, b mixes it with white. A gray material cannot tell the two apart; it
/// counts as matt.
float gloss_of(const cv::Mat& rgb, const Relief& relief, const cv::Mat& bare) {
  constexpr float kBright = 0.03f;
  constexpr double kDoubt = 0.02;  // ridge on b, of |1 - B|^2
  const cv::Mat weight = cv::max(relief.luma - relief.base - kBright, 0);
  const double total = cv::sum(weight)[0];
  if (total < 1) return 0;
  std::vector<cv::Mat> planes;
  cv::split(rgb, planes);
  double bb = 0, bw = 0, ww = 0, bd = 0, wd = 0, b_mean = 0;
  for (const cv::Mat& plane : planes) {
    const double b = cv::sum(base_of(plane, bare).mul(weight))[0] / total, d = cv::sum(plane.mul(weight))[0] / total - b;
    bb += b * b;
    bw += b * (1 - b);
    ww += (1 - b) * (1 - b);
    bd += b * d;
    wd += (1 - b) * d;
    b_mean += b / 3;
  }
  ww *= 1 + kDoubt;
  const double determinant = bb * ww - bw * bw;
  if (determinant <= 1e-12) return 0;
  const double scaled = std::max((bd * ww - wd * bw) / determinant, 0.0) * b_mean;
  const double white = std::max((wd * bb - bd * bw) / determinant, 0.0) * (1 - b_mean);
  return static_cast<float>(white / std::max(scaled + white, 1e-6));
}

/// The selection and a quarter of its size round it: enough bare material to judge grain by.
cv::Rect neighbourhood(const cv::Rect& box, cv::Size size) {
  const int ring = std::max({24, box.width / 4, box.height / 4});
  return cv::Rect(box.x - ring, box.y - ring, box.width + 2 * ring, box.height + 2 * ring) & cv::Rect({}, size);
}

}  // namespace

Carving carve(const cv::Mat& rgb, const cv::Mat& mask, const cv::Mat& support, const cv::Mat& known,
              const CarveOptions& options) {
  const cv::Mat clamped = cv::min(cv::max(rgb, 0), 1), luma = luma_of(clamped);
  cv::Mat bare;  // a little further out than the selection: its shadows reach
  cv::dilate(mask > kSelected, bare, cv::Mat::ones(9, 9, CV_8U));
  bare = bare == 0;
  if (!known.empty()) bare &= known > 0.99;
  const cv::Mat hidden = support <= 0;
  const cv::Rect box = cv::boundingRect(cv::Mat(support > 0)), near = neighbourhood(box, rgb.size());
  const double size = std::max(box.width, box.height);

  Carving out;
  Relief relief;
  relief.base = base_of(luma, bare);
  cv::Mat difference = luma - relief.base;
  if (options.own > 0) {
    out.own = own_material(clamped, mask, support, known);
    difference = difference.mul(1 - options.own * out.own.share);  // its tone is no relief
  }
  cv::Mat geometry = cv::Mat::zeros(luma.size(), CV_32FC1);
  cv::Mat part = without_grain(difference(near), bare(near), size, options.grain);
  if (options.close_border && !box.empty()) close_tone(part, relief.base(near), mask(near), bare(near), size);
  restore_depth(part, relief.base(near), options.grain);
  part.copyTo(geometry(near));
  geometry.setTo(0, hidden);
  relief.luma = relief.base + geometry;

  const float most = 1 + (kMostDiffuse - 1) * (1 - gloss_of(clamped, relief, bare));
  if (options.show_through > 0) let_through(relief, support, options.show_through);
  out.shading = split_light(relief, most, near, size);
  return out;
}

}  // namespace geometry_transfer
