// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/border.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "image/mask.h"
#include "image/membrane.h"

namespace geometry_transfer {
namespace {

// Chosen on the cases of docs/editing.md and three fresh sets, held to three others. Lengths are shares of the selection's size.
constexpr double kReach = 0.03;   ///< from a border to the bare material that its base was taken from
constexpr double kAlong = 0.3;    ///< along the border: the mean over it is the evidence
constexpr double kDrift = 0.2;    ///< of the material's power that such a mean still holds
constexpr double kDarkest = 0.2;  ///< ratios to a base that is darker than this by itself say nothing

cv::Mat gaussian(const cv::Mat& m, double sigma) {
  cv::Mat out;
  cv::GaussianBlur(m, out, cv::Size(), sigma);
  return out;
}

/// The evidence is smooth, so it is worked out at this many pixels a side.
constexpr double kSide = 320;

cv::Mat weight_of(const cv::Mat& where) {
  cv::Mat weight;
  where.convertTo(weight, CV_32F, 1 / 255.0);
  return weight;
}

cv::Mat resized(const cv::Mat& m, cv::Size size, int how) {
  cv::Mat out;
  cv::resize(m, out, size, 0, 0, how);
  return out;
}

/// How far the bare material strays from a base taken a reach away, squared: in eight directions, as a ratio. `known` is the
/// weight of the bare in each pixel.
double drift_power(const cv::Mat& ratio, const cv::Mat& known, double size) {
  const double reach = kReach * size, sigma = std::max(1.0, reach / 2), step = reach + sigma;
  const cv::Mat denominator = gaussian(known, sigma);
  const cv::Mat base = cv::max(gaussian(ratio.mul(known), sigma) / cv::max(denominator, 1e-3), kDarkest);
  const cv::Mat bare = known > 0.99, sure = bare & (denominator > 0.5);
  double sum = 0, count = 0;
  for (int eighth = 0; eighth < 8; ++eighth) {
    const cv::Point by(cvRound(step * std::cos(eighth * CV_PI / 4)), cvRound(step * std::sin(eighth * CV_PI / 4)));
    const cv::Rect all({}, ratio.size()), here = all & (all + by), there = here - by;
    if (here.empty()) continue;
    const cv::Mat both = bare(here) & sure(there), off = cv::min(ratio(here) / base(there) - 1, 1);
    const double pairs = cv::countNonZero(both);
    sum += pairs * cv::mean(off.mul(off), both)[0];
    count += pairs;
  }
  return count > 0 ? sum / count : 1;
}

/// What of a ratio along the border is the geometry's own: its mean there, and how surely it is no drift, [0,1].
struct Evidence {
  cv::Mat mean, sure;
};
Evidence evidence(const cv::Mat& ratio, const cv::Mat& border, const cv::Mat& bare, double size) {
  const double shrink = std::min(1.0, kSide / std::max(ratio.cols, ratio.rows));
  const cv::Size small(std::max(1, cvRound(shrink * ratio.cols)), std::max(1, cvRound(shrink * ratio.rows)));
  const cv::Mat on = weight_of(border), rest = resized((ratio - 1).mul(on), small, cv::INTER_AREA);
  const double along = kAlong * shrink * size;
  const cv::Mat mean = gaussian(rest, along) / cv::max(gaussian(resized(on, small, cv::INTER_AREA), along), 1e-6);
  const double drift =
      kDrift * drift_power(resized(ratio, small, cv::INTER_AREA), resized(weight_of(bare), small, cv::INTER_AREA), shrink * size);
  const cv::Mat sure = cv::max(1 - drift / cv::max(mean.mul(mean), 1e-9), 0);
  return {resized(mean, ratio.size(), cv::INTER_LINEAR), resized(sure, ratio.size(), cv::INTER_LINEAR)};
}

/// The last pixels before the selection's border, 1 inside to 0 on it, so that the remaining grain ends softly.
cv::Mat fade_of(const cv::Mat& mask, double size) {
  return cv::min(distance_outside(1 - mask) / std::clamp(0.03 * size, 1.0, 12.0), 1);
}

}  // namespace

void close_tone(cv::Mat& geometry, const cv::Mat& base, const cv::Mat& mask, const cv::Mat& bare, double size) {
  constexpr double kDark = 0.02, kMost = 4;  // tones below are noise; a border further off than this is no border
  const cv::Mat ground = cv::max(base, kDark), ratio = 1 + geometry / ground, inside = mask >= 0.5;
  cv::Mat border;
  cv::dilate(inside, border, cv::Mat::ones(3, 3, CV_8U));
  border &= ~inside;
  const Evidence own = evidence(ratio, border, bare, size);
  const cv::Mat film = membrane(ratio / cv::max(1 + own.sure.mul(own.mean), kDark), inside);
  geometry = (ratio / cv::min(cv::max(film, 1 / kMost), kMost) - 1).mul(ground);
  const cv::Mat fade = fade_of(mask, size);
  geometry = geometry.mul(fade + own.sure.mul(1 - fade));
}

}  // namespace geometry_transfer
