// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/dataset/measure.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "request/number_text.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

constexpr int kRing = 8;  // pixels round the label that count as its surround

cv::Mat lightness(const cv::Mat& rgb) {
  cv::Mat lab, light;
  cv::cvtColor(cv::min(cv::max(rgb, 0.0), 1.0), lab, cv::COLOR_RGB2Lab);
  cv::extractChannel(lab, light, 0);
  return light;
}

struct Named {
  const char* name;
  double Measures::*measure;
};
constexpr Named kMeasures[] = {
    {"contrast", &Measures::contrast}, {"share", &Measures::share}, {"leak", &Measures::leak}, {"border", &Measures::border}};

}  // namespace

Measures measure_change(const Change& change, cv::Size size) {
  Measures m;
  const int inside = cv::countNonZero(change.label);
  if (inside == 0) return m;
  const cv::Mat light = lightness(change.edited), moved = cv::abs(light - lightness(change.before));
  cv::Mat wide;
  cv::dilate(change.label, wide, cv::getStructuringElement(cv::MORPH_ELLIPSE, {2 * kRing + 1, 2 * kRing + 1}));
  const cv::Mat ring = wide & ~change.label;
  if (cv::countNonZero(ring) > 0) {
    const double surround = cv::mean(light, ring)[0];
    const cv::Mat off = cv::abs(light - surround);
    m.contrast = std::max(0.0, cv::mean(off, change.label)[0] - cv::mean(off, ring)[0]) / 100;
  }
  m.share = inside / static_cast<double>(size.area());
  const double all = cv::sum(moved)[0];
  if (all > 0) m.leak = cv::mean(moved, ~change.label)[0] * cv::countNonZero(~change.label) / all;
  const cv::Rect box = cv::boundingRect(change.label) + change.area.tl();
  m.border = box.x == 0 || box.y == 0 || box.br().x == size.width || box.br().y == size.height;
  return m;
}

Condition::Condition(const std::string& text) : text_(text) {
  std::string tight = text;
  tight.erase(std::remove(tight.begin(), tight.end(), ' '), tight.end());
  const std::size_t sign = tight.find_first_of("<>");
  std::string names;
  for (const Named& known : kMeasures) {
    names += (names.empty() ? "" : ", ") + std::string(known.name);
    if (sign != std::string::npos && tight.substr(0, sign) == known.name) measure_ = known.measure;
  }
  if (measure_) {
    above_ = tight[sign] == '>';
    equal_ = sign + 1 < tight.size() && tight[sign + 1] == '=';
    if (const auto bound = parse_number(tight.substr(sign + 1 + equal_))) {
      bound_ = *bound;
      return;
    }
  }
  throw error(Error::Kind::input, _("\"{0}\" is no condition: give one such as contrast>0.1, on one of {1}."), text, names);
}

bool Condition::holds(const Measures& measures) const {
  const double value = measures.*measure_;
  return above_ ? (equal_ ? value >= bound_ : value > bound_) : (equal_ ? value <= bound_ : value < bound_);
}

}  // namespace geometry_transfer::cli
