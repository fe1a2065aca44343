// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/carve.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "image/mask.h"
#include "image/membrane.h"

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
  constexpr double kSide = 320, kSigma = 12;
  const double shrink = std::min(1.0, kSide / std::max(plane.rows, plane.cols));
  cv::Mat small, weight, known;
  bare.convertTo(known, CV_32F, 1 / 255.0);
  const cv::Mat weighted = plane.mul(known);
  cv::resize(weighted, small, cv::Size(), shrink, shrink, cv::INTER_AREA);
  cv::resize(known, weight, small.size(), 0, 0, cv::INTER_AREA);
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

double deviation(const cv::Mat& plane, const cv::Mat& where) {
  cv::Scalar mean, sd;
  cv::meanStdDev(plane, mean, sd, where);
  return sd[0];
}

cv::Mat kept(const cv::Mat& v, double s) {
  const cv::Mat square = v.mul(v);
  return square.mul(v) / (square + (s * s + 1e-12));
}

/// The part of a difference from the base that the geometry made.
cv::Mat without_grain(const cv::Mat& difference, const cv::Mat& bare, double grain) {
  const double sd = cv::countNonZero(bare) ? deviation(difference, bare) : 0;
  const cv::Mat coarse = gaussian(difference, 1.5), fine = difference - coarse;
  return kept(coarse, 0.5 * grain * sd) + kept(fine, grain * sd);
}

}  // namespace

Carving carve(const cv::Mat& rgb, const cv::Mat& mask, const cv::Mat& support, const cv::Mat& known,
              const CarveOptions& options) {
  const cv::Mat clamped = cv::min(cv::max(rgb, 0), 1), luma = luma_of(clamped);
  cv::Mat bare;
  cv::dilate(mask > kSelected, bare, cv::Mat::ones(9, 9, CV_8U));
  bare = bare == 0;
  if (!known.empty()) bare &= known > 0.99;
  const cv::Mat shown = support > 0, hidden = support <= 0;

  const auto split = [&](const cv::Mat& plane) {
    Relief r;
    r.base = base_of(plane, bare);
    cv::Mat geometry = without_grain(plane - r.base, bare, options.grain);
    if (options.close_border) geometry -= membrane(geometry, shown);
    geometry.setTo(0, hidden);
    r.luma = r.base + geometry;
    return r;
  };
  Carving out;
  out.shading = shading_of(split(luma));
  if (options.chroma) {
    std::vector<cv::Mat> planes(3);
    cv::split(clamped, planes);
    for (cv::Mat& plane : planes) {
      const Relief r = split(plane - luma);
      plane = r.luma - r.base;
    }
    cv::merge(planes, out.chroma);
  }
  return out;
}

}  // namespace geometry_transfer
