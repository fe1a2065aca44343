// SPDX-License-Identifier: GPL-3.0-or-later
/// Scenes for tests: rasters that hold a cv::Mat, and procedural pictures.
#pragma once

#include <cmath>
#include <opencv2/imgproc.hpp>

#include "geometry-transfer/transfer.h"

namespace geometry_transfer::test {

/// A CV_32FC4 or CV_32FC1 picture at a place on the canvas.
class MatRaster : public Raster {
 public:
  explicit MatRaster(cv::Mat pixels, int x = 0, int y = 0) : pixels_(std::move(pixels)), x_(x), y_(y) {}
  int channels() const override { return pixels_.channels(); }
  Rect extent() const override { return {x_, y_, pixels_.cols, pixels_.rows}; }
  void read(const Rect& area, Size size, float* out) const override {
    const cv::Rect inside(area.x - x_, area.y - y_, area.width, area.height);
    if ((inside & cv::Rect(0, 0, pixels_.cols, pixels_.rows)) != inside) throw std::logic_error("read outside the extent");
    cv::Mat to(size.height, size.width, pixels_.type(), out);
    if (size.width == area.width && size.height == area.height)
      pixels_(inside).copyTo(to);
    else
      cv::resize(pixels_(inside), to, to.size(), 0, 0, cv::INTER_AREA);
    most_read = std::max(most_read, size.width * size.height);
  }
  cv::Mat& pixels() { return pixels_; }
  mutable int most_read = 0;  ///< the most pixels of one call

 private:
  cv::Mat pixels_;
  int x_, y_;
};

/// Returns grainy stone of a tone. The same seed gives the same stone.
inline cv::Mat stone(cv::Size size, cv::Scalar tone, double grain, int seed) {
  cv::Mat noise(size, CV_32FC3), alpha(size, CV_32FC1, cv::Scalar(1)), out;
  cv::RNG random(seed);
  random.fill(noise, cv::RNG::NORMAL, cv::Scalar::all(0), cv::Scalar::all(grain));
  cv::GaussianBlur(noise, noise, {}, 0.7);
  noise += tone;
  cv::Mat planes[] = {noise, alpha};
  cv::merge(planes, 2, out);
  return out;
}

inline cv::Mat disc(cv::Size size, cv::Point2d centre, double radius) {
  cv::Mat mask(size, CV_32FC1);
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) mask.at<float>(y, x) = std::hypot(x + 0.5 - centre.x, y + 0.5 - centre.y) <= radius;
  return mask;
}

/// Presses a dark dent with a bright rim into a picture, centred on `centre`.
inline void press(cv::Mat& rgba, cv::Point2d centre, double radius) {
  for (int y = 0; y < rgba.rows; ++y)
    for (int x = 0; x < rgba.cols; ++x) {
      const double r = std::hypot(x + 0.5 - centre.x, y + 0.5 - centre.y) / radius;
      const double shade = 1 - 0.6 * std::exp(-4 * r * r) + 0.25 * std::exp(-30 * (r - 0.7) * (r - 0.7));
      for (int c = 0; c < 3; ++c) rgba.at<cv::Vec4f>(y, x)[c] *= float(shade);
    }
}

/// A stone with a dent, its selection, and another stone as target.
struct Dent {
  MatRaster source, mask, target;
  Scene scene;
  Dent(cv::Size size, cv::Point2d centre, double radius, cv::Size target_size = {}, cv::Point target_at = {})
      : source(stone(size, {0.5, 0.45, 0.4}, 0.05, 1)),
        mask(disc(size, centre, radius)),
        target(stone(target_size.empty() ? size : target_size, {0.3, 0.5, 0.6}, 0.05, 2), target_at.x, target_at.y) {
    press(source.pixels(), centre, radius);
    scene.target = &target;
    scene.references.resize(1);
    scene.references[0].colour = &source;
    scene.references[0].mask = &mask;
  }
  Dent(const Dent&) = delete;
};

inline double largest_difference(const cv::Mat& a, const cv::Mat& b) { return cv::norm(a, b, cv::NORM_INF); }

}  // namespace geometry_transfer::test
