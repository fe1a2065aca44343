// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/dataset/label.h"

#include <opencv2/imgproc.hpp>
#include <vector>

namespace geometry_transfer::cli {
namespace {

// docs/guide/datasets.md compares labels with 110 rendered cases.
constexpr double kSmooth = 1;      // pixels of the blur before a change is measured
constexpr double kSpreadOver = 8;  // pixels over which the target's own spread is taken
constexpr int kLeast = 12;         // pixels of the smallest region
constexpr int kClose = 5;          // side of the closing element, pixels: narrower gaps in a region are closed

/// Thresholds of a change in CIELAB units, and how much of the target's standard deviation of L* is added to them.
constexpr double kLow = 2.5, kLowOfSpread = 0.15, kHigh = 5, kHighOfSpread = 0.3;

cv::Mat lab(const cv::Mat& rgb) {
  cv::Mat out;
  cv::cvtColor(cv::min(cv::max(rgb, 0.0), 1.0), out, cv::COLOR_RGB2Lab);
  return out;
}

cv::Mat smoothed(const cv::Mat& field, double sigma) {
  cv::Mat out;
  cv::GaussianBlur(field, out, {}, sigma, sigma, cv::BORDER_REPLICATE);
  return out;
}

cv::Mat length(const cv::Mat& vectors) {
  cv::Mat out(vectors.size(), CV_32FC1);
  for (int y = 0; y < out.rows; ++y)
    for (int x = 0; x < out.cols; ++x) out.at<float>(y, x) = static_cast<float>(cv::norm(vectors.at<cv::Vec3f>(y, x)));
  return out;
}

/// Standard deviation of L* round each pixel.
cv::Mat spread_of(const cv::Mat& lab_of_target) {
  cv::Mat light;
  cv::extractChannel(lab_of_target, light, 0);
  const cv::Mat mean = smoothed(light, kSpreadOver);
  cv::Mat variance = smoothed(light.mul(light), kSpreadOver) - mean.mul(mean), out;
  cv::sqrt(cv::max(variance, 0.0), out);
  return out;
}

/// Regions of `low` that hold a pixel of `high`; both CV_8U.
cv::Mat regions_with(const cv::Mat& low, const cv::Mat& high) {
  cv::Mat components;
  const int count = cv::connectedComponents(low, components, 8, CV_32S);
  std::vector<unsigned char> value_of(static_cast<std::size_t>(count), 0);
  for (int y = 0; y < low.rows; ++y)
    for (int x = 0; x < low.cols; ++x)
      if (low.at<uchar>(y, x) && high.at<uchar>(y, x)) value_of[static_cast<std::size_t>(components.at<int>(y, x))] = 255;
  cv::Mat out(low.size(), CV_8UC1);
  for (int y = 0; y < low.rows; ++y)
    for (int x = 0; x < low.cols; ++x) out.at<uchar>(y, x) = value_of[static_cast<std::size_t>(components.at<int>(y, x))];
  return out;
}

/// Fills what a region encloses, and drops regions below kLeast pixels.
cv::Mat whole_regions(const cv::Mat& mask) {
  std::vector<std::vector<cv::Point>> outlines;
  cv::findContours(mask, outlines, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_NONE);
  cv::Mat filled = cv::Mat::zeros(mask.size(), CV_8UC1), components, stats, centres;
  for (std::size_t i = 0; i < outlines.size(); ++i) cv::drawContours(filled, outlines, static_cast<int>(i), 255, cv::FILLED);
  cv::connectedComponentsWithStats(filled, components, stats, centres, 8, CV_32S);
  for (int y = 0; y < mask.rows; ++y)
    for (int x = 0; x < mask.cols; ++x)
      if (const int name = components.at<int>(y, x); name > 0 && stats.at<int>(name, cv::CC_STAT_AREA) < kLeast)
        filled.at<uchar>(y, x) = 0;
  return filled;
}

}  // namespace

cv::Mat visible_change(const cv::Mat& edited, const cv::Mat& target, const cv::Mat& support) {
  const cv::Mat before = lab(target);
  const cv::Mat change = length(smoothed(lab(edited) - before, kSmooth)), spread = spread_of(before), may = support > 0;
  const cv::Mat low = (change > kLow + kLowOfSpread * spread) & may, high = (change > kHigh + kHighOfSpread * spread) & may;
  cv::Mat mask = regions_with(low, high);
  cv::morphologyEx(mask, mask, cv::MORPH_CLOSE, cv::getStructuringElement(cv::MORPH_ELLIPSE, {kClose, kClose}));
  return whole_regions(mask & may);
}

Change change_of(const Raster& target, const Layer& layer, int margin) {
  const Rect extent = target.extent();
  const cv::Rect at(layer.area.x, layer.area.y, layer.area.width, layer.area.height);
  Change c;
  c.area = cv::Rect(at.x - margin, at.y - margin, at.width + 2 * margin, at.height + 2 * margin) &
           cv::Rect(extent.x, extent.y, extent.width, extent.height);
  cv::Mat rgba(c.area.size(), CV_32FC4);
  target.read({c.area.x, c.area.y, c.area.width, c.area.height}, {c.area.width, c.area.height}, rgba.ptr<float>());
  cv::cvtColor(rgba, c.before, cv::COLOR_RGBA2RGB);
  c.edited = c.before.clone();
  c.support = cv::Mat::zeros(c.area.size(), CV_32FC1);
  const cv::Rect common = at & c.area;
  const cv::Mat over(at.height, at.width, CV_32FC4, const_cast<float*>(layer.rgba.data()));
  for (int y = common.y; y < common.br().y; ++y)
    for (int x = common.x; x < common.br().x; ++x) {
      const cv::Vec4f& p = over.at<cv::Vec4f>(y - at.y, x - at.x);
      cv::Vec3f& out = c.edited.at<cv::Vec3f>(y - c.area.y, x - c.area.x);
      for (int i = 0; i < 3; ++i) out[i] += p[3] * (p[i] - out[i]);
      c.support.at<float>(y - c.area.y, x - c.area.x) = p[3];
    }
  c.label = visible_change(c.edited, c.before, c.support);
  return c;
}

}  // namespace geometry_transfer::cli
