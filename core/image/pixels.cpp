// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/pixels.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace geometry_transfer {
namespace {

/// Colours are clamped to [-64, 64]: far beyond real pictures, but sums of squares stay finite.
constexpr float kLargest = 64;

/// The part of a raster that a result needs.
struct Block {
  Rect area;     ///< canvas pixels
  cv::Mat data;  ///< the pixels of `area`, at a lower resolution if the result needs less
  bool empty() const { return data.empty(); }
};

bool is_whole(double v) { return std::abs(v - std::round(v)) < 1e-6; }

/// Returns true if the map only moves pixels, by whole pixels. Allows for rounding.
bool moves_whole(const Affine& m) {
  return std::abs(m(0, 0) - 1) < 1e-9 && std::abs(m(1, 1) - 1) < 1e-9 && std::abs(m(0, 1)) < 1e-9 && std::abs(m(1, 0)) < 1e-9 &&
         is_whole(m(0, 2)) && is_whole(m(1, 2));
}

/// Reads the part of `raster` that `area` needs, at the lower of the raster's and the result's resolution, with a
/// margin for interpolation. `back` maps `area` to the raster's canvas; the result has `size` pixels over `area`.
Block read_block(const Raster& raster, const Affine& back, const Rect& area, cv::Size size) {
  double x0 = 1e300, y0 = 1e300, x1 = -1e300, y1 = -1e300;
  for (const cv::Point2d corner : {cv::Point2d(area.x, area.y), cv::Point2d(area.right(), area.y),
                                   cv::Point2d(area.x, area.bottom()), cv::Point2d(area.right(), area.bottom())}) {
    const cv::Point2d p = map(back, corner);
    x0 = std::min(x0, p.x), x1 = std::max(x1, p.x), y0 = std::min(y0, p.y), y1 = std::max(y1, p.y);
  }
  // The raster's pixels per pixel of the result, along x and y of the raster.
  const double across = double(area.width) / size.width, down = double(area.height) / size.height;
  const double step_x = std::max(1.0, std::hypot(back(0, 0) * across, back(0, 1) * down));
  const double step_y = std::max(1.0, std::hypot(back(1, 0) * across, back(1, 1) * down));
  const double margin = moves_whole(back) && size == cv::Size(area.width, area.height) ? 0 : 3 * std::max(step_x, step_y);
  const Rect extent = raster.extent();
  const auto clamped = [](double v, int low, int high) { return static_cast<int>(std::clamp(v, double(low), double(high))); };
  Block block;
  block.area.x = clamped(std::floor(x0 - margin), extent.x, extent.right());
  block.area.y = clamped(std::floor(y0 - margin), extent.y, extent.bottom());
  block.area.width = clamped(std::ceil(x1 + margin), extent.x, extent.right()) - block.area.x;
  block.area.height = clamped(std::ceil(y1 + margin), extent.y, extent.bottom()) - block.area.y;
  if (block.area.empty()) return block;
  const Size at = {std::max(1, int(std::lround(block.area.width / step_x))),
                   std::max(1, int(std::lround(block.area.height / step_y)))};
  block.data.create(at.height, at.width, CV_32FC(raster.channels()));
  raster.read(block.area, at, block.data.ptr<float>());
  return block;
}

/// Splits R'G'B'A into colour, and alpha as Pixels::known.
Pixels split_alpha(const cv::Mat& rgba) {
  Pixels p;
  p.rgb.create(rgba.size(), CV_32FC3);
  p.known.create(rgba.size(), CV_32FC1);
  std::atomic<bool> all{true};
  cv::parallel_for_(cv::Range(0, rgba.rows), [&](const cv::Range& rows) {
    bool these = true;
    for (int y = rows.start; y < rows.end; ++y) {
      const float* in = rgba.ptr<float>(y);
      float* out = p.rgb.ptr<float>(y);
      float* known = p.known.ptr<float>(y);
      for (int x = 0; x < rgba.cols; ++x, in += 4, out += 3) {
        const bool finite = std::isfinite(in[0]) && std::isfinite(in[1]) && std::isfinite(in[2]) && std::isfinite(in[3]);
        for (int c = 0; c < 3; ++c) out[c] = finite ? std::clamp(in[c], -kLargest, kLargest) : 0.f;
        known[x] = finite ? std::clamp(in[3], 0.f, 1.f) : 0.f;
        these &= known[x] == 1;
      }
    }
    if (!these) all = false;
  });
  if (all) p.known.release();
  return p;
}

/// Returns true if every pixel of the result lies between pixel centres of the block, so that no border is read.
bool lies_within(const Affine& m, cv::Size size, cv::Size block) {
  for (const cv::Point2d corner : {cv::Point2d(0, 0), cv::Point2d(size.width - 1, 0), cv::Point2d(0, size.height - 1),
                                   cv::Point2d(size.width - 1, size.height - 1)}) {
    const cv::Point2d p = map(m, corner);
    if (p.x < -1e-6 || p.y < -1e-6 || p.x > block.width - 1 + 1e-6 || p.y > block.height - 1 + 1e-6) return false;
  }
  return true;
}

/// Warps `block` by the index map. Outside the block the result is its border (`repeat`), or 0.
cv::Mat warp(const cv::Mat& block, const Affine& m, cv::Size size, bool repeat, int interpolation) {
  cv::Mat out;
  const auto border = repeat ? cv::BORDER_REPLICATE : cv::BORDER_CONSTANT;
  if (moves_whole(m)) {
    const cv::Rect wanted({int(std::lround(m(0, 2))), int(std::lround(m(1, 2)))}, size), there(0, 0, block.cols, block.rows),
        both = wanted & there;
    if (wanted == there) return block;
    if (both == wanted) return block(wanted).clone();
    if (!both.empty()) {
      cv::copyMakeBorder(block(both), out, both.y - wanted.y, wanted.br().y - both.br().y, both.x - wanted.x,
                         wanted.br().x - both.br().x, border);
      return out;
    }
  }
  cv::warpAffine(block, out, cv::Mat(m), size, interpolation | cv::WARP_INVERSE_MAP, border);
  return out;
}

}  // namespace

Rect intersect(const Rect& a, const Rect& b) {
  Rect r;
  r.x = std::max(a.x, b.x), r.y = std::max(a.y, b.y);
  r.width = std::min(a.right(), b.right()) - r.x, r.height = std::min(a.bottom(), b.bottom()) - r.y;
  return r;
}

Affine inverse(const Affine& a) {
  const double det = a(0, 0) * a(1, 1) - a(0, 1) * a(1, 0);
  const double p = a(1, 1) / det, q = -a(0, 1) / det, r = -a(1, 0) / det, s = a(0, 0) / det;
  return {p, q, -(p * a(0, 2) + q * a(1, 2)), r, s, -(r * a(0, 2) + s * a(1, 2))};
}

cv::Point2d map(const Affine& a, cv::Point2d p) {
  return {a(0, 0) * p.x + a(0, 1) * p.y + a(0, 2), a(1, 0) * p.x + a(1, 1) * p.y + a(1, 2)};
}

double scale_of(const Affine& a) { return std::sqrt(std::abs(a(0, 0) * a(1, 1) - a(0, 1) * a(1, 0))); }

Affine index_map(const Affine& back, const Rect& area, cv::Size size, const Rect& other_area, cv::Size other_size) {
  const double sx = double(area.width) / size.width, sy = double(area.height) / size.height;
  const double rx = double(other_size.width) / other_area.width, ry = double(other_size.height) / other_area.height;
  const cv::Point2d origin = map(back, {area.x + 0.5 * sx, area.y + 0.5 * sy});
  return {back(0, 0) * sx * rx, back(0, 1) * sy * rx, (origin.x - other_area.x) * rx - 0.5,
          back(1, 0) * sx * ry, back(1, 1) * sy * ry, (origin.y - other_area.y) * ry - 0.5};
}

namespace {

/// Returns weights of colours: alpha * 50, at most 1. Below an alpha of 2 % rounding spoils the colour.
cv::Mat colour_weight(const cv::Mat& known) { return cv::min(known * 50, 1); }

}  // namespace

Pixels sample_colour(const Raster& raster, const Affine& place, const Rect& area, cv::Size size) {
  const Affine back = inverse(place);
  const Block block = read_block(raster, back, area, size);
  Pixels out;
  if (block.empty()) {
    out.rgb = cv::Mat(size, CV_32FC3, cv::Scalar::all(0.5));
    out.known = cv::Mat::zeros(size, CV_32FC1);
    return out;
  }
  Pixels in = split_alpha(block.data);
  if (!in.known.empty()) fill_unknown(in.rgb, colour_weight(in.known));
  const Affine m = index_map(back, area, size, block.area, block.data.size());
  out.rgb = warp(in.rgb, m, size, true, cv::INTER_CUBIC);
  if (in.known.empty() && lies_within(m, size, block.data.size())) return out;
  const cv::Mat full = in.known.empty() ? cv::Mat(block.data.size(), CV_32FC1, cv::Scalar(1)) : in.known;
  out.known = warp(full, m, size, false, cv::INTER_LINEAR);
  double least = 0;
  cv::minMaxLoc(out.known, &least);
  if (least >= 1)
    out.known.release();
  else
    fill_unknown(out.rgb, colour_weight(out.known));
  return out;
}

cv::Mat sample_mask(const Raster& raster, const Affine& place, const Rect& area, cv::Size size) {
  const Affine back = inverse(place);
  Block block = read_block(raster, back, area, size);
  if (block.empty()) return cv::Mat::zeros(size, CV_32FC1);
  for (int y = 0; y < block.data.rows; ++y) {
    float* row = block.data.ptr<float>(y);
    for (int x = 0; x < block.data.cols; ++x) row[x] = row[x] > 0 ? std::min(row[x], 1.f) : 0.f;  // NaN compares false
  }
  return warp(block.data, index_map(back, area, size, block.area, block.data.size()), size, false, cv::INTER_LINEAR);
}

cv::Mat luma_of(const cv::Mat& rgb) {
  cv::Mat luma;
  cv::transform(rgb, luma, cv::Matx13f(0.299f, 0.587f, 0.114f));
  return luma;
}

void fill_unknown(cv::Mat& picture, const cv::Mat& weight, const cv::Scalar& fallback) {
  double most = 0;
  cv::minMaxLoc(weight, nullptr, &most);
  if (most <= 0) {
    picture.setTo(fallback);
    return;
  }
  // Push: average the known pixels at halved sizes. Pull: go back from the coarsest size, and fill where weights are
  // below 1.
  const auto times = [](const cv::Mat& a, const cv::Mat& w) {
    cv::Mat wide, product;
    if (a.channels() == 1) return cv::Mat(a.mul(w));
    cv::merge(std::vector<cv::Mat>(a.channels(), w), wide);
    cv::multiply(a, wide, product);
    return product;
  };
  std::vector<cv::Mat> sums = {times(picture, weight)}, weights = {weight};
  while (sums.back().rows > 1 || sums.back().cols > 1) {
    const cv::Size half((sums.back().cols + 1) / 2, (sums.back().rows + 1) / 2);
    cv::Mat s, w;
    cv::resize(sums.back(), s, half, 0, 0, cv::INTER_AREA);
    cv::resize(weights.back(), w, half, 0, 0, cv::INTER_AREA);
    sums.push_back(s), weights.push_back(w);
  }
  const auto reciprocal = [](const cv::Mat& w) { return cv::Mat(1 / cv::max(w, 1e-12)); };
  cv::Mat fill = times(sums.back(), reciprocal(weights.back()));
  for (int i = int(sums.size()) - 2; i >= 0; --i) {
    cv::Mat up;
    cv::resize(fill, up, sums[i].size(), 0, 0, cv::INTER_LINEAR);
    fill = sums[i] + times(up, 1 - weights[i]);
  }
  picture = fill;
}

}  // namespace geometry_transfer
