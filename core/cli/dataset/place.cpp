// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/dataset/place.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace geometry_transfer::cli {
namespace {

/// Draws of a place before a target counts as full. They find a place with a chance of 99 % if 1 % of the target is
/// free for it.
constexpr int kDraws = 500;

/// Grows the mask by a disc of that radius in pixels.
void widen(cv::Mat& mask, int pixels) {
  if (pixels <= 0) return;
  cv::Mat far;
  cv::distanceTransform(mask == 0, far, cv::DIST_L2, cv::DIST_MASK_5);
  mask = far <= pixels;
}

}  // namespace

Footprint footprint_of(const Raster& mask, cv::Point2d centre, const Placement& p, double margin) {
  const Rect e = mask.extent();
  cv::Mat coverage(e.height, e.width, CV_32FC1);
  mask.read(e, {e.width, e.height}, coverage.ptr<float>());
  const cv::Mat there = coverage > 0;

  // From the mask's pixels to pixels about its centre: stretch and flip, rotation (counter-clockwise as seen, y down),
  // scale.
  const double angle = p.rotation * CV_PI / 180, c = std::cos(angle) * p.scale, s = std::sin(angle) * p.scale;
  const double wide = p.stretch * (p.flip ? -1 : 1), cx = centre.x - e.x, cy = centre.y - e.y;
  cv::Matx23d to(c * wide, s, 0, -s * wide, c, 0);
  double left = 1e9, top = 1e9, right = -1e9, bottom = -1e9;
  for (const double x : {0.0, double(e.width)})
    for (const double y : {0.0, double(e.height)}) {
      const double tx = to(0, 0) * (x - cx) + to(0, 1) * (y - cy), ty = to(1, 0) * (x - cx) + to(1, 1) * (y - cy);
      left = std::min(left, tx), right = std::max(right, tx), top = std::min(top, ty), bottom = std::max(bottom, ty);
    }
  const int more = static_cast<int>(std::ceil(margin)) + 1;
  Footprint f;
  f.centre = {static_cast<int>(std::ceil(-left)) + more, static_cast<int>(std::ceil(-top)) + more};
  const cv::Size size(f.centre.x + static_cast<int>(std::ceil(right)) + more,
                      f.centre.y + static_cast<int>(std::ceil(bottom)) + more);
  // warpAffine maps pixels' centres, which lie half a pixel from the corner.
  to(0, 2) = f.centre.x - to(0, 0) * (cx - 0.5) - to(0, 1) * (cy - 0.5) - 0.5;
  to(1, 2) = f.centre.y - to(1, 0) * (cx - 0.5) - to(1, 1) * (cy - 0.5) - 0.5;
  cv::warpAffine(there, f.covered, cv::Mat(to), size, cv::INTER_LINEAR);
  f.covered = f.covered > 0;
  widen(f.covered, static_cast<int>(std::ceil(margin)));
  const cv::Rect box = cv::boundingRect(f.covered);
  if (!box.empty()) {
    f.covered = f.covered(box).clone();
    f.centre -= box.tl();
  }
  return f;
}

FreeArea::FreeArea(cv::Size target, const cv::Mat& place, const cv::Mat& avoid, int border)
    : taken_(cv::Mat::zeros(target, CV_8UC1)), outside_(std::max(0, -border)) {
  if (!place.empty()) taken_.setTo(255, place == 0);
  if (!avoid.empty()) taken_.setTo(255, avoid);
  for (int i = 0; i < std::min({border, target.width / 2 + 1, target.height / 2 + 1}); ++i)
    cv::rectangle(taken_, {i, i}, {target.width - 1 - i, target.height - 1 - i}, 255);
}

bool FreeArea::fits(const Footprint& f, cv::Point at) const {
  const cv::Rect all(at, f.covered.size()), visible = all & cv::Rect({}, taken_.size());
  if (visible.empty()) return false;
  const cv::Mat under = taken_(visible) & f.covered(visible - at);
  return cv::countNonZero(under) == 0;
}

std::optional<cv::Point> FreeArea::draw(const Footprint& f, Random& random) const {
  const cv::Rect free = cv::boundingRect(taken_ == 0);
  const int low_x = free.x - outside_, high_x = free.br().x + outside_ - f.covered.cols;
  const int low_y = free.y - outside_, high_y = free.br().y + outside_ - f.covered.rows;
  if (free.empty() || high_x < low_x || high_y < low_y) return std::nullopt;
  for (int i = 0; i < kDraws; ++i) {
    const int x = low_x + static_cast<int>(random.below(static_cast<std::size_t>(high_x - low_x + 1)));
    const int y = low_y + static_cast<int>(random.below(static_cast<std::size_t>(high_y - low_y + 1)));
    if (fits(f, {x, y})) return cv::Point(x, y) + f.centre;
  }
  return std::nullopt;
}

void FreeArea::take(const Footprint& f, cv::Point at, int apart) {
  cv::Mat grown;
  cv::copyMakeBorder(f.covered, grown, apart, apart, apart, apart, cv::BORDER_CONSTANT, 0);
  widen(grown, apart);
  const cv::Point corner = at - f.centre - cv::Point(apart, apart);
  const cv::Rect visible = cv::Rect(corner, grown.size()) & cv::Rect({}, taken_.size());
  if (!visible.empty()) taken_(visible).setTo(255, grown(visible - corner));
}

}  // namespace geometry_transfer::cli
