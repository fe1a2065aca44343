// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/mask_raster.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "cli/picture_raster.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

// Thresholds that tell masks apart. All are by eye. Values are shares of full scale, [0,1].

/// Value: a pixel whose channels differ by more has a colour. JPEG's noise in gray pictures stays below.
constexpr double kColouredFrom = 0.1;
/// Share of the pixels that may differ from the rest: smoothed borders, specks. With more, a picture has a colour, or
/// several.
constexpr double kFew = 0.005;
/// Value: if all visible pixels lie within this range, their colour carries no shape, and alpha is the mask.
constexpr double kOneShade = 0.25;
/// Value: a pixel this close to the darkest or lightest one counts as black or white.
constexpr double kNearEnd = 0.1;
/// Share of the visible pixels: with so many black or white ones, gray times alpha is the mask. With fewer, the mask is
/// refused.
constexpr double kMostly = 0.9;

/// Statistics of the pixels with alpha above 0.
struct Colours {
  double visible = 0, coloured = 0, near_ends = 0;  // pixels
  double darkest = 0, lightest = 0;                 // brightest channel, [0,1]

  bool has_colour() const { return coloured > kFew * visible; }
  bool is_one_shade() const { return lightest - darkest < kOneShade; }
  bool is_black_and_white() const { return near_ends >= kMostly * visible; }
};

/// Calls visit(channels, alpha) for each pixel: stored numbers; alpha is full scale where there is none.
template <class T, class Visit>
void visit_pixels(const cv::Mat& pixels, Visit visit) {
  const int channels = pixels.channels();
  const bool alpha = channels == 2 || channels == 4;
  for (int y = 0; y < pixels.rows; ++y)
    for (const T *p = pixels.ptr<T>(y), *end = p + pixels.cols * channels; p < end; p += channels)
      visit(p, alpha ? p[channels - 1] : T(~T(0)));
}

template <class T>
T brightest(const T* p, int colours) {
  return colours == 1 ? p[0] : std::max({p[0], p[1], p[2]});
}
template <class T>
T chroma(const T* p, int colours) {
  return colours == 1 ? T(0) : static_cast<T>(std::max({p[0], p[1], p[2]}) - std::min({p[0], p[1], p[2]}));
}

template <class T>
Colours look_at(const cv::Mat& pixels) {
  const int colours = pixels.channels() < 3 ? 1 : 3;
  const double full = full_scale(pixels.depth());
  Colours seen;
  T low = T(~T(0)), high = 0;
  visit_pixels<T>(pixels, [&](const T* p, T alpha) {
    if (alpha == 0) return;
    const T value = brightest(p, colours);
    low = std::min(low, value), high = std::max(high, value);
    ++seen.visible;
    seen.coloured += chroma(p, colours) > kColouredFrom * full;
  });
  seen.darkest = low / full, seen.lightest = high / full;
  const double width = kNearEnd * full;
  visit_pixels<T>(pixels, [&](const T* p, T alpha) {
    const T value = brightest(p, colours);
    if (alpha > 0) seen.near_ends += value <= low + width || value >= high - width;
  });
  return seen;
}

/// True when all visible colours are one colour, darker or lighter, so that the brightest channel alone says how strong
/// it is.
template <class T>
bool is_one_colour(const cv::Mat& pixels) {
  const double tolerance = kColouredFrom * full_scale(pixels.depth());
  cv::Vec3d colour;
  double strongest = 0, count = 0, others = 0;
  visit_pixels<T>(pixels, [&](const T* p, T) {
    if (const double value = brightest(p, 3); value > strongest)
      strongest = value, colour = {double(p[0]), double(p[1]), double(p[2])};
  });
  visit_pixels<T>(pixels, [&](const T* p, T) {
    const double share = brightest(p, 3) / std::max(strongest, 1.0);
    bool other = false;
    for (int c = 0; c < 3; ++c) other = other || std::abs(p[c] - share * colour[c]) > tolerance;
    ++count;
    others += other;
  });
  return others <= kFew * count;
}

/// One channel: the gray value, or the brightest channel of a single colour.
cv::Mat value_of(const cv::Mat& pixels, bool coloured) {
  cv::Mat value;
  if (pixels.channels() < 3) {
    cv::extractChannel(pixels, value, 0);
  } else if (coloured) {
    std::vector<cv::Mat> planes;
    cv::split(pixels, planes);
    value = cv::max(cv::max(planes[0], planes[1]), planes[2]);
  } else {
    cv::cvtColor(pixels, value, pixels.channels() == 4 ? cv::COLOR_RGBA2GRAY : cv::COLOR_RGB2GRAY);
  }
  return value;
}

cv::Mat coverage_of(const Picture& picture) {
  const cv::Mat pixels = straight_alpha(picture);
  const bool narrow = pixels.depth() == CV_8U;
  cv::Mat alpha;
  double least = 0, most = 0;
  if (picture.has_alpha()) {
    cv::extractChannel(pixels, alpha, pixels.channels() - 1);
    cv::minMaxLoc(alpha, &least, &most);
    if (most == 0) return alpha;  // empty
  }
  const bool one_alpha = least == most;
  if (one_alpha && pixels.channels() < 3) return value_of(pixels, false);
  const Colours seen = narrow ? look_at<std::uint8_t>(pixels) : look_at<std::uint16_t>(pixels);
  if (one_alpha) {
    if (!seen.has_colour()) return value_of(pixels, false);
    if (narrow ? is_one_colour<std::uint8_t>(pixels) : is_one_colour<std::uint16_t>(pixels)) return value_of(pixels, true);
    throw error(Error::Kind::input, _("The mask \"{0}\" has several colours: save it as white, or one colour, on black."),
                picture.path);
  }
  if (seen.has_colour() || seen.is_one_shade()) return alpha;
  if (!seen.is_black_and_white())
    throw error(Error::Kind::input,
                _("The mask \"{0}\" has shades of gray and transparency, and either could be the selection: save it without "
                  "transparency, or as one colour on transparency."),
                picture.path);
  cv::Mat both = value_of(pixels, false);
  cv::multiply(both, alpha, both, 1 / full_scale(both.depth()));
  return both;
}

}  // namespace

MaskRaster::MaskRaster(const Picture& picture) {
  const cv::Mat coverage = coverage_of(picture);
  const cv::Rect bounds = cv::boundingRect(coverage.depth() == CV_8U ? coverage : cv::Mat(coverage > 0));
  bounds_ = {bounds.x, bounds.y, bounds.width, bounds.height};
  coverage_ = coverage(bounds);
  double most = 0;
  if (!bounds.empty()) cv::minMaxLoc(coverage_, nullptr, &most);
  scale_ = most > 0 ? 1 / most : 1;
}

void MaskRaster::read(const Rect& area, Size size, float* out) const {
  const cv::Mat part = coverage_(cv::Rect(area.x - bounds_.x, area.y - bounds_.y, area.width, area.height));
  cv::Mat to(size.height, size.width, CV_32FC1, out);
  // First resample the rows in width, some at a time, so that a large mask is never held as float.
  constexpr int kStripeRows = 256;
  cv::Mat narrow = size.height == area.height ? to : cv::Mat(area.height, size.width, CV_32FC1);
  for (int y = 0; y < area.height; y += kStripeRows) {
    const cv::Range rows(y, std::min(y + kStripeRows, area.height));
    cv::Mat wide;
    part.rowRange(rows).convertTo(wide, CV_32F, scale_);
    resampled(wide, {size.width, wide.rows}).copyTo(narrow.rowRange(rows));
  }
  if (size.height != area.height) resampled(narrow, size).copyTo(to);
}

cv::Point2d MaskRaster::centre() const {
  const cv::Moments m = cv::moments(coverage_);
  if (m.m00 <= 0) return {0, 0};
  return {bounds_.x + m.m10 / m.m00 + 0.5, bounds_.y + m.m01 / m.m00 + 0.5};  // moments() counts from pixel centres
}

}  // namespace geometry_transfer::cli
