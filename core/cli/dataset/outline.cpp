// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/dataset/outline.h"

#include <opencv2/imgproc.hpp>

namespace geometry_transfer::cli {

std::string run_lengths(const cv::Mat& mask, cv::Rect area, cv::Size size) {
  std::vector<long long> runs;
  bool selected = false;
  long long length = 0;
  const auto add = [&](bool now, long long pixels) {
    if (now != selected) {
      runs.push_back(length);
      selected = now, length = 0;
    }
    length += pixels;
  };
  if (area.x > 0) add(false, static_cast<long long>(area.x) * size.height);
  for (int x = 0; x < area.width; ++x) {
    if (area.y > 0) add(false, area.y);
    for (int y = 0; y < area.height; ++y) add(mask.at<uchar>(y, x) != 0, 1);
    if (const int below = size.height - area.br().y; below > 0) add(false, below);
  }
  if (const int right = size.width - area.br().x; right > 0) add(false, static_cast<long long>(right) * size.height);
  runs.push_back(length);

  std::string text;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    long long value = i > 2 ? runs[i] - runs[i - 2] : runs[i];
    for (bool more = true; more;) {
      long long bits = value & 0x1f;
      value >>= 5;
      more = bits & 0x10 ? value != -1 : value != 0;
      text += static_cast<char>((more ? bits | 0x20 : bits) + 48);
    }
  }
  return text;
}

std::vector<std::vector<cv::Point2d>> polygons(const cv::Mat& mask, double tolerance) {
  // Twice as large, so that an outline through pixels' centres runs along the borders of the original ones.
  cv::Mat large;
  cv::copyMakeBorder(mask, large, 1, 1, 1, 1, cv::BORDER_CONSTANT, 0);
  cv::resize(large, large, {}, 2, 2, cv::INTER_NEAREST);
  std::vector<std::vector<cv::Point>> outlines;
  cv::findContours(large, outlines, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_SIMPLE);
  std::vector<std::vector<cv::Point2d>> list;
  for (const auto& outline : outlines) {
    std::vector<cv::Point> simple;
    cv::approxPolyDP(outline, simple, 2 * tolerance, true);
    if (simple.size() < 3) simple = outline;
    if (simple.size() < 3) continue;
    list.emplace_back();
    for (const cv::Point& p : simple) list.back().emplace_back((p.x + 0.5) / 2 - 1, (p.y + 0.5) / 2 - 1);
  }
  return list;
}

}  // namespace geometry_transfer::cli
