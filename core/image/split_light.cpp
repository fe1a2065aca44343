// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/split_light.h"

#include <algorithm>
#include <cstdint>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace geometry_transfer {
namespace {

/// By how much a geometry brightens on the whole, as a factor, 1 or more: its ratio to the base without dark or bright details
/// narrower than about a sixteenth of it. Smooth, so worked out small: the disc below never has more than 13 pixels across.
cv::Mat wide_brightening(const cv::Mat& ratio, double size) {
  constexpr double kShare = 0.03, kMostRadius = 6;
  const double wanted = std::max(2.0, kShare * size), shrink = std::min(1.0, kMostRadius / wanted);
  const int radius = std::max(2, cvRound(wanted * shrink));
  const cv::Mat disc = cv::getStructuringElement(cv::MORPH_ELLIPSE, cv::Size(2 * radius + 1, 2 * radius + 1));
  cv::Mat wide, full;
  cv::resize(ratio, wide, {std::max(1, cvRound(ratio.cols * shrink)), std::max(1, cvRound(ratio.rows * shrink))}, 0, 0,
             cv::INTER_AREA);
  cv::morphologyEx(wide, wide, cv::MORPH_CLOSE, disc);
  cv::morphologyEx(wide, wide, cv::MORPH_OPEN, disc);
  cv::GaussianBlur(wide, wide, {}, radius / 2.0);
  cv::resize(wide, full, ratio.size(), 0, 0, cv::INTER_LINEAR);
  return cv::max(full, 1);
}

/// Of the part of a geometry of `size` pixels; 1 and 0 elsewhere.
Glow glow_of(const Relief& relief, const cv::Rect& part, double size) {
  constexpr double kNothing = 1.002;
  if (part.empty()) return {};
  const cv::Mat ground = cv::min(cv::max(relief.base(part), 1e-3), 1), ratio = relief.luma(part) / ground;
  const cv::Mat wide = wide_brightening(ratio, size);
  double most = 0;
  cv::minMaxLoc(wide, nullptr, &most);
  if (most < kNothing) return {};
  Glow glow{cv::Mat::ones(relief.base.size(), CV_32FC1), cv::Mat::zeros(relief.base.size(), CV_32FC1),
            cv::Mat::ones(relief.base.size(), CV_32FC1)};
  wide.copyTo(glow.factor(part));
  const cv::Mat headroom = cv::min(ground.mul(wide - 1) / cv::max(1 - ground, 1e-3), 1);
  headroom.copyTo(glow.headroom(part));
  const cv::Mat contrast = cv::min(cv::max(ratio / wide, 0), 1);
  contrast.copyTo(glow.contrast(part));
  return glow;
}

/// A part of a geometry that touches no other: of droplets, one.
struct Piece {
  cv::Rect box;
  cv::Mat inside;  ///< CV_8UC1 over the box
};

/// What is connected in `support`, with room round it; so many scraps that it is rather one thing in bits are one piece.
std::vector<Piece> pieces_of(const cv::Mat& support) {
  constexpr int kMost = 64, kRoom = 4;
  const cv::Rect all({}, support.size());
  cv::Mat labels, boxes, centres;
  const int count = cv::connectedComponentsWithStats(support > 0, labels, boxes, centres);
  std::vector<Piece> pieces;
  std::int64_t area = 0;
  for (int i = 1; i < count && i <= kMost; ++i) {
    const int* at = boxes.ptr<int>(i);
    const cv::Rect box = cv::Rect(at[cv::CC_STAT_LEFT] - kRoom, at[cv::CC_STAT_TOP] - kRoom, at[cv::CC_STAT_WIDTH] + 2 * kRoom,
                                  at[cv::CC_STAT_HEIGHT] + 2 * kRoom) &
                         all;
    pieces.push_back({box, cv::Mat(labels(box) == i)});
    area += box.area();
  }
  if (count > kMost || area > 4 * std::int64_t{all.area()}) return {{all, cv::Mat(support > 0)}};  // rings in rings, too
  return pieces;
}

}  // namespace

void let_through(Relief& relief, const cv::Mat& support, double share) {
  for (const Piece& piece : pieces_of(support)) {
    const cv::Rect bounds = cv::boundingRect(piece.inside);
    const cv::Mat ground = cv::min(cv::max(relief.base(piece.box), 1e-3), 1);
    cv::Mat ratio = relief.luma(piece.box) / ground;
    ratio.setTo(1, piece.inside == 0);
    const cv::Mat wide = wide_brightening(ratio, std::max(bounds.width, bounds.height));
    const cv::Mat clear = relief.luma(piece.box).mul((1 + (1 - share) * (wide - 1)) / wide);
    clear.copyTo(relief.luma(piece.box), piece.inside);
  }
}

Shading split_light(const Relief& relief, float most, const cv::Rect& part, double size) {
  Shading s;
  for (cv::Mat* field : {&s.factor, &s.headroom, &s.light}) field->create(relief.base.size(), CV_32FC1);
  for (int y = 0; y < relief.base.rows; ++y) {
    const float *base = relief.base.ptr<float>(y), *luma = relief.luma.ptr<float>(y);
    float *factor = s.factor.ptr<float>(y), *headroom = s.headroom.ptr<float>(y), *light = s.light.ptr<float>(y);
    for (int x = 0; x < relief.base.cols; ++x) {
      const float b = std::clamp(base[x], 1e-3f, 1.f), left = std::max(1 - b, 1e-3f);
      factor[x] = std::clamp(luma[x] / b, 0.f, most);
      const float diffuse = b * factor[x];
      headroom[x] = std::clamp((diffuse - b) / left, 0.f, 1.f);
      light[x] = std::clamp((luma[x] - diffuse) / std::max(1 - diffuse, 1e-3f), 0.f, 1.f);
    }
  }
  s.glow = glow_of(relief, part, size);
  return s;
}

}  // namespace geometry_transfer
