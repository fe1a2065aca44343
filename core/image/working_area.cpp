// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/working_area.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "image/constants.h"

namespace geometry_transfer {
namespace {

/// Most pixels of a view. It bounds the memory of reference copies and network planes on a canvas of any size.
constexpr double kMostPixels = 8e6;
constexpr int kLongestSide = 16384;  // OpenCV's warps count in 16 bits
constexpr double kMostZoom = 4;

/// An interval of `length` inside [low, high), centred on `centre` as far as that allows.
std::pair<int, int> interval(double centre, int length, int low, int high) {
  length = std::min(length, high - low);
  const double start = std::clamp(std::round(centre - length / 2.0), double(low), double(high - length));
  return {static_cast<int>(start), length};
}

int multiple(double length, int of) { return std::max(1, static_cast<int>(std::lround(length / of))) * of; }

}  // namespace

double margin_of(const Request& request) { return std::max(0.0, request.grow) + request.feather + constants::kMargin; }

WorkingArea working_area(const cv::Rect2d& geometry, const Rect& target, const Request& request, int native_side,
                         int granularity) {
  const double longest = std::max(geometry.width, geometry.height);
  const double wanted = std::max({longest / request.context, longest + 2 * margin_of(request), native_side / kMostZoom});
  const int side = static_cast<int>(std::ceil(std::min(wanted, double(std::max(target.width, target.height)))));
  const cv::Point2d centre(geometry.x + geometry.width / 2, geometry.y + geometry.height / 2);
  WorkingArea area;
  if (native_side == 0) {
    using namespace constants;
    const double further = request.colour == Colour::shading ? kShadingMargin + kShadingMarginShare * longest
                                                             : kColourMargin + kColourMarginShare * longest;
    const double margin = std::ceil(margin_of(request) + further);
    std::tie(area.rect.x, area.rect.width) = interval(centre.x, int(geometry.width + 2 * margin), target.x, target.right());
    std::tie(area.rect.y, area.rect.height) = interval(centre.y, int(geometry.height + 2 * margin), target.y, target.bottom());
    return area;
  }
  std::tie(area.rect.x, area.rect.width) = interval(centre.x, side, target.x, target.right());
  std::tie(area.rect.y, area.rect.height) = interval(centre.y, side, target.y, target.bottom());
  const double zoom = native_side * request.working_size / std::max(area.rect.width, area.rect.height);
  area.model = {multiple(area.rect.width * zoom, granularity), multiple(area.rect.height * zoom, granularity)};
  return area;
}

cv::Size view_size(const Rect& rect) {
  const double shrink = std::min({1.0, std::sqrt(kMostPixels / (double(rect.width) * rect.height)),
                                  double(kLongestSide) / std::max(rect.width, rect.height)});
  if (shrink == 1) return {rect.width, rect.height};
  return {std::max(1, static_cast<int>(rect.width * shrink)), std::max(1, static_cast<int>(rect.height * shrink))};
}

}  // namespace geometry_transfer
