// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/grain.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace geometry_transfer {
namespace {

// Chosen on the cases of docs/editing.md and on fresh ones.
constexpr float kIsotropic = 1;  ///< times the grain's power that a neighbourhood must exceed
constexpr float kLine = 3;       ///< times the power that grain leaves in a mean along a line
constexpr float kAlong = 0.75f;  ///< share of a band's value taken from along the line that explains it
constexpr double kUsual = 2;     ///< times the grain's power that a line may leave unexplained and still stand for the pixel
constexpr double kNeighbourhood = 1.5;

cv::Mat gaussian(const cv::Mat& m, double sigma) {
  cv::Mat out;
  cv::GaussianBlur(m, out, cv::Size(), sigma);
  return out;
}

/// [1 2 1] / 4 along (dx, dy), then along its multiples 2 and 4: a smooth line of about 11 steps.
cv::Mat along(const cv::Mat& m, int dx, int dy, int octaves) {
  const int reach = (1 << octaves) - 1, px = reach * std::abs(dx), py = reach * std::abs(dy);
  cv::Mat wide;
  cv::copyMakeBorder(m, wide, py, py, px, px, cv::BORDER_REFLECT_101);
  for (int step = 1, i = 0; i < octaves; ++i, step *= 2) {
    const int sx = step * std::abs(dx), sy = step * std::abs(dy);
    const cv::Size size(wide.cols - 2 * sx, wide.rows - 2 * sy);
    cv::Mat next(size, CV_32FC1);
    for (int y = 0; y < size.height; ++y) {
      const float* c = wide.ptr<float>(y + sy) + sx;
      const float* a = wide.ptr<float>(y + sy + (dy < 0 ? sy : -sy)) + sx - (dx < 0 ? -sx : sx);
      const float* b = wide.ptr<float>(y + sy - (dy < 0 ? sy : -sy)) + sx + (dx < 0 ? -sx : sx);
      float* out = next.ptr<float>(y);
      for (int x = 0; x < size.width; ++x) out[x] = 0.5f * c[x] + 0.25f * (a[x] + b[x]);
    }
    wide = next;
  }
  return wide;
}

double power_in(const cv::Mat& m, const cv::Mat& where) { return cv::mean(m.mul(m), where)[0]; }

/// Where a material's grain differs from place to place: its power on the bare material near each pixel (16 px, of the band's
/// own), never more than the power on all of it. Without this, a stripe somewhere beside the selection would hide a crack in it.
/// Smooth, so worked out at a quarter of the resolution.
class NearbyPower {
 public:
  explicit NearbyPower(const cv::Mat& bare) : bare_(bare) {
    bare.convertTo(weight_, CV_32F, 1 / 255.0);
    small_weight_ = smooth(weight_) + kFar;
  }
  cv::Mat of(const cv::Mat& m) const {
    const double all = power_in(m, bare_);
    const cv::Mat near = small(m, all);
    cv::Mat out;
    cv::resize(cv::min(near, all), out, m.size(), 0, 0, cv::INTER_LINEAR);
    return out;
  }

  /// The power at most places: a joint, a stain or another crack in the bare material is not its grain. Never more than the mean.
  double typical(const cv::Mat& m) const {
    const double all = power_in(m, bare_);
    const cv::Mat near = small(m, all);
    std::vector<float> powers;
    for (int y = 0; y < near.rows; ++y)
      for (int x = 0; x < near.cols; ++x)
        if (small_weight_.at<float>(y, x) > 0.5f) powers.push_back(near.at<float>(y, x));
    if (powers.size() < 4) return all;
    std::nth_element(powers.begin(), powers.begin() + powers.size() / 2, powers.end());
    return std::min<double>(all, powers[powers.size() / 2]);
  }

 private:
  cv::Mat small(const cv::Mat& m, double all) const { return (smooth(m.mul(m).mul(weight_)) + kFar * all) / small_weight_; }
  static constexpr double kReach = 16, kShrink = 4;
  static constexpr double kFar = 1e-3;  ///< weight of the whole, which decides where nothing bare is near
  static cv::Mat smooth(const cv::Mat& m) {
    cv::Mat small;
    const cv::Size size(std::max(1, cvRound(m.cols / kShrink)), std::max(1, cvRound(m.rows / kShrink)));
    cv::resize(m, small, size, 0, 0, cv::INTER_AREA);
    return gaussian(small, kReach / kShrink);
  }
  cv::Mat bare_, weight_, small_weight_;
};

/// How hard to judge a band: by the root of what the selection holds more of it than the bare material does. Where grain is all
/// there is, fully; where most of it is geometry, gently, so that thin parts of it stay.
double strength(const cv::Mat& band, const cv::Mat& bare, double noise, double grain) {
  constexpr double kGentlest = 4;
  const cv::Mat inside = bare == 0;
  if (cv::countNonZero(inside) < 16) return grain;
  return grain / std::sqrt(std::clamp(power_in(band, inside) / std::max(noise, 1e-12), 1.0, kGentlest));
}

/// One band, at its own resolution.
cv::Mat kept(const cv::Mat& band, const cv::Mat& bare, double grain) {
  static constexpr int directions[8][2] = {{1, 0}, {2, 1}, {1, 1}, {1, 2}, {0, 1}, {-1, 2}, {-1, 1}, {-2, 1}};
  if (cv::countNonZero(bare) < 16) return band;
  const NearbyPower nearby(bare);
  const double noise = nearby.typical(band);
  grain = strength(band, bare, noise, grain);
  // Isotropic evidence: energy in a neighbourhood against the bare material's.
  const cv::Mat energy = gaussian(band.mul(band), kNeighbourhood);
  cv::Mat out(band.size(), CV_32FC1), best(band.size(), CV_32FC1, cv::Scalar(0)), line(band.size(), CV_32FC1, cv::Scalar(0));
  cv::Mat line_noise(band.size(), CV_32FC1, cv::Scalar(0));
  for (const auto& d : directions) {
    const cv::Mat r = along(band, d[0], d[1], std::abs(d[0]) + std::abs(d[1]) > 2 ? 2 : 3);
    line_noise = cv::max(line_noise, nearby.of(r));
    for (int y = 0; y < r.rows; ++y) {
      const float* v = r.ptr<float>(y);
      float *b = best.ptr<float>(y), *l = line.ptr<float>(y);
      for (int x = 0; x < r.cols; ++x)
        if (v[x] * v[x] > b[x]) b[x] = v[x] * v[x], l[x] = v[x];
    }
  }
  // A highlight, a rim, a kink: its line's mean says little of it.
  const cv::Mat rest = band - line, unexplained = gaussian(rest.mul(rest), kNeighbourhood);
  const cv::Mat usual = kUsual * nearby.of(band);
  const float iso = float(kIsotropic * grain * noise), line_share = float(kLine * grain);
  for (int y = 0; y < band.rows; ++y) {
    const float *v = band.ptr<float>(y), *e = energy.ptr<float>(y), *b = best.ptr<float>(y), *l = line.ptr<float>(y);
    const float* n = line_noise.ptr<float>(y);
    const float *u = unexplained.ptr<float>(y), *us = usual.ptr<float>(y);
    float* o = out.ptr<float>(y);
    for (int x = 0; x < band.cols; ++x) {
      const float whole = e[x] > 0 ? std::max(0.f, 1 - iso / e[x]) : 0.f;
      const float aligned = b[x] > 0 ? std::max(0.f, 1 - line_share * n[x] / b[x]) : 0.f;
      const float w = std::max(whole, aligned), m = kAlong * aligned * std::min(1.f, us[x] / std::max(u[x], 1e-12f));
      o[x] = w * ((1 - m) * v[x] + m * l[x]);
    }
  }
  return out;
}

/// Recursively: a pyramid, each level's detail shrunk at its own resolution.
cv::Mat shrunk(const cv::Mat& plane, const cv::Mat& bare, double grain, int levels) {
  if (levels == 0 || std::min(plane.rows, plane.cols) < 16) return plane;
  cv::Mat small, up, small_bare;
  cv::pyrDown(plane, small);
  cv::pyrUp(small, up, plane.size());
  cv::resize(bare, small_bare, small.size(), 0, 0, cv::INTER_AREA);
  small_bare = small_bare == 255;
  const cv::Mat rest = shrunk(small, small_bare, grain, levels - 1);
  cv::Mat rest_up;
  cv::pyrUp(rest, rest_up, plane.size());
  return rest_up + kept(plane - up, bare, grain);
}

}  // namespace

cv::Mat without_grain(const cv::Mat& difference, const cv::Mat& bare, double size, double grain) {
  if (grain <= 0) return difference.clone();
  return shrunk(difference, bare, grain, std::clamp(int(std::lround(std::log2(std::max(size, 1.0) / 24))), 2, 7));
}

void restore_depth(cv::Mat& geometry, const cv::Mat& base, double grain) {
  constexpr float kDeepen = 0.2f, kLighten = 0.85f, kDark = 0.02f;
  const float share = float(std::clamp(grain, 0.0, 1.0)), deepen = share * kDeepen, lighten = 1 - share * (1 - kLighten);
  for (int y = 0; y < geometry.rows; ++y) {
    float* g = geometry.ptr<float>(y);
    const float* b = base.ptr<float>(y);
    for (int x = 0; x < geometry.cols; ++x) {
      const float left = std::clamp(1 + g[x] / std::max(b[x], kDark), 0.f, 1.f);
      g[x] *= g[x] < 0 ? 1 + deepen * left * left : lighten;
    }
  }
}

}  // namespace geometry_transfer
