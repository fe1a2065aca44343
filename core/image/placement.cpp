// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/placement.h"

#include <algorithm>
#include <cmath>

namespace geometry_transfer {
namespace {

/// Most samples on a selection's longer side; the box is then accurate to a thousandth of its size.
constexpr int kMeasureSide = 1024;

/// The coverage of a mask in part of the canvas.
struct Samples {
  Rect area;
  cv::Mat coverage;  ///< CV_32FC1
};

Samples samples_of(const Raster& mask, const Rect& area) {
  const double shrink = std::min(1.0, double(kMeasureSide) / std::max(area.width, area.height));
  const cv::Size size(std::max(1, int(std::ceil(area.width * shrink))), std::max(1, int(std::ceil(area.height * shrink))));
  return {area, sample_mask(mask, kIdentity, area, size)};
}

/// Returns the canvas box of the non-zero pixels; empty if there are none.
Rect covered_bounds(const Samples& samples) {
  int x0 = samples.coverage.cols, x1 = -1, y0 = samples.coverage.rows, y1 = -1;
  for (int y = 0; y < samples.coverage.rows; ++y) {
    const float* row = samples.coverage.ptr<float>(y);
    for (int x = 0; x < samples.coverage.cols; ++x)
      if (row[x] > 0) x0 = std::min(x0, x), x1 = std::max(x1, x), y0 = std::min(y0, y), y1 = std::max(y1, y);
  }
  if (x1 < 0) return {};
  const double sx = double(samples.area.width) / samples.coverage.cols, sy = double(samples.area.height) / samples.coverage.rows;
  Rect box;
  box.x = samples.area.x + int(std::floor(x0 * sx)), box.y = samples.area.y + int(std::floor(y0 * sy));
  box.width = samples.area.x + int(std::ceil((x1 + 1) * sx)) - box.x;
  box.height = samples.area.y + int(std::ceil((y1 + 1) * sy)) - box.y;
  return intersect(box, samples.area);
}

}  // namespace

MaskShape measure(const Raster& mask) {
  MaskShape shape;
  if (mask.extent().empty()) return shape;
  Samples samples = samples_of(mask, mask.extent());
  shape.bounds = covered_bounds(samples);
  // Sample a small selection again within its box, until samples are canvas pixels or the box stays.
  for (int i = 0; i < 4 && !shape.empty() && samples.coverage.cols < samples.area.width && !(shape.bounds == samples.area); ++i) {
    samples = samples_of(mask, shape.bounds);
    shape.bounds = covered_bounds(samples);
  }
  if (shape.empty()) return shape;
  const double sx = double(samples.area.width) / samples.coverage.cols, sy = double(samples.area.height) / samples.coverage.rows;
  double sum = 0, sum_x = 0, sum_y = 0;
  for (int y = 0; y < samples.coverage.rows; ++y) {
    const float* row = samples.coverage.ptr<float>(y);
    int first = -1, last = -1;
    for (int x = 0; x < samples.coverage.cols; ++x) {
      if (!(row[x] > 0)) continue;
      if (first < 0) first = x;
      last = x;
      sum += row[x], sum_x += row[x] * (x + 0.5), sum_y += row[x] * (y + 0.5);
    }
    if (first < 0) continue;
    for (const int x : {first, last + 1})
      for (const int edge : {y, y + 1}) shape.outline.emplace_back(samples.area.x + x * sx, samples.area.y + edge * sy);
  }
  shape.area = sum * sx * sy;
  shape.centroid = {std::round(samples.area.x + sum_x / sum * sx), std::round(samples.area.y + sum_y / sum * sy)};
  return shape;
}

Affine affine_of(const Placement& p, cv::Point2d centre) {
  // Quarter turns exactly: cos(90 degrees) is not 0 in floating point.
  const double turn = std::remainder(p.rotation, 360.0), quarters = std::round(turn / 90);
  double c, s;
  if (turn == quarters * 90) {
    const int q = (int(quarters) % 4 + 4) % 4;
    c = q == 0 ? 1 : q == 2 ? -1 : 0, s = q == 1 ? 1 : q == 3 ? -1 : 0;
  } else {
    c = std::cos(turn * CV_PI / 180), s = std::sin(turn * CV_PI / 180);
  }
  const double along_x = p.scale * p.stretch * (p.flip ? -1 : 1);
  const double a = along_x * c, b = p.scale * s, d = -along_x * s, e = p.scale * c;
  return {a, b, centre.x + p.shift_x - a * centre.x - b * centre.y, d, e, centre.y + p.shift_y - d * centre.x - e * centre.y};
}

Affine composed(const Affine& f, const Affine& s) {
  return {s(0, 0) * f(0, 0) + s(0, 1) * f(1, 0),           s(0, 0) * f(0, 1) + s(0, 1) * f(1, 1),
          s(0, 0) * f(0, 2) + s(0, 1) * f(1, 2) + s(0, 2), s(1, 0) * f(0, 0) + s(1, 1) * f(1, 0),
          s(1, 0) * f(0, 1) + s(1, 1) * f(1, 1),           s(1, 0) * f(0, 2) + s(1, 1) * f(1, 2) + s(1, 2)};
}

cv::Rect2d bounds_of(const MaskShape& shape, const Affine& place) {
  double x0 = 1e300, y0 = 1e300, x1 = -1e300, y1 = -1e300;
  for (const cv::Point2d& corner : shape.outline) {
    const cv::Point2d p = map(place, corner);
    x0 = std::min(x0, p.x), x1 = std::max(x1, p.x), y0 = std::min(y0, p.y), y1 = std::max(y1, p.y);
  }
  return {x0, y0, x1 - x0, y1 - y0};
}

}  // namespace geometry_transfer
