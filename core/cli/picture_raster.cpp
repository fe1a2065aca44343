// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/picture_raster.h"

#include <algorithm>
#include <atomic>
#include <opencv2/imgproc.hpp>

namespace geometry_transfer::cli {
namespace {

constexpr int kStripeRows = 64;  // rows converted at once; only they are copied on the way

/// `area` of the stored pixels as float, [0,1], with straight alpha.
cv::Mat stored_floats(const Picture& picture, const Rect& area) {
  const cv::Mat& pixels = picture.pixels;
  cv::Mat out;
  pixels(cv::Rect(area.x, area.y, area.width, area.height)).convertTo(out, CV_32F, 1 / full_scale(pixels.depth()));
  if (!picture.premultiplied) return out;
  const int channels = out.channels();
  for (int y = 0; y < out.rows; ++y)
    for (float *p = out.ptr<float>(y), *end = p + out.cols * channels; p < end; p += channels) {
      const float alpha = p[channels - 1], factor = alpha > 0 ? 1 / alpha : 0;
      for (int c = 0; c < channels - 1; ++c) p[c] = std::min(p[c] * factor, 1.0f);
    }
  return out;
}

/// R'G'B'A in sRGB of stored floats.
void to_rgba(const cv::Mat& stored, const ColourProfile& colours, cv::Mat rgba) {
  const int channels = stored.channels();
  cv::Mat colour, alpha;
  if (channels == 2 || channels == 4)
    cv::extractChannel(stored, alpha, channels - 1);
  else
    alpha = cv::Mat(stored.size(), CV_32FC1, cv::Scalar(1));
  if (channels == 2)
    cv::extractChannel(stored, colour, 0);
  else if (channels == 4)
    cv::cvtColor(stored, colour, cv::COLOR_RGBA2RGB);
  else
    colour = stored;
  cv::merge(std::vector<cv::Mat>{colours.to_srgb(colour), alpha}, rgba);  // merge counts channels, not Mats
}

/// Multiplies or divides the colours by alpha. Averages must not mix in colours of transparent pixels.
void scale_by_alpha(cv::Mat& rgba, bool divide) {
  rgba.forEach<cv::Vec4f>([divide](cv::Vec4f& p, const int*) {
    const float k = !divide ? p[3] : p[3] > 0 ? 1 / p[3] : 0;
    for (int c = 0; c < 3; ++c) p[c] *= k;
  });
}

/// Blends one row of the layer (R'G'B' in the picture's colours, alpha in `rgba`) into stored numbers. Returns true on
/// a change.
template <class T>
bool blend_row(T* row, const cv::Mat& colours, const cv::Mat& rgba, const Picture& picture) {
  const int stored = picture.pixels.channels(), count = picture.colour_channels();
  const double scale = full_scale(picture.pixels.depth());
  bool changed = false;
  for (int x = 0; x < rgba.cols; ++x, row += stored) {
    const float alpha = std::clamp(rgba.at<cv::Vec4f>(x)[3], 0.0f, 1.0f);
    if (!(alpha > 0)) continue;
    const double cover = picture.premultiplied ? row[stored - 1] / scale : 1;
    for (int c = 0; c < count; ++c) {
      const double over = colours.ptr<float>()[x * count + c] * scale * cover;
      const T value = cv::saturate_cast<T>(row[c] + alpha * (over - row[c]));
      changed = changed || value != row[c];
      row[c] = value;
    }
  }
  return changed;
}

}  // namespace

double full_scale(int depth) { return depth == CV_8U ? 255 : 65535; }

cv::Mat resampled(const cv::Mat& pixels, Size size) {
  if (pixels.cols == size.width && pixels.rows == size.height) return pixels;
  const bool smaller = size.width <= pixels.cols && size.height <= pixels.rows;
  cv::Mat out;
  cv::resize(pixels, out, {size.width, size.height}, 0, 0, smaller ? cv::INTER_AREA : cv::INTER_LINEAR);
  return out;
}

cv::Mat straight_alpha(const Picture& picture) {
  if (!picture.premultiplied) return picture.pixels;
  cv::Mat out(picture.pixels.size(), picture.pixels.type());
  for (int y = 0; y < out.rows; ++y)
    stored_floats(picture, {0, y, out.cols, 1}).convertTo(out.row(y), out.depth(), full_scale(out.depth()));
  return out;
}

PictureRaster::PictureRaster(const Picture& picture)
    : picture_(picture), colours_(picture.colour_profile(), picture.colour_channels()) {}

void PictureRaster::read(const Rect& area, Size size, float* out) const {
  const bool same_size = size.width == area.width && size.height == area.height;
  cv::Mat to(size.height, size.width, CV_32FC4, out), rgba = same_size ? to : cv::Mat(area.height, area.width, CV_32FC4);
  cv::parallel_for_(cv::Range(0, (area.height + kStripeRows - 1) / kStripeRows), [&](const cv::Range& stripes) {
    for (int s = stripes.start; s < stripes.end; ++s) {
      const cv::Range rows(s * kStripeRows, std::min((s + 1) * kStripeRows, area.height));
      to_rgba(stored_floats(picture_, {area.x, area.y + rows.start, area.width, rows.size()}), colours_, rgba.rowRange(rows));
    }
  });
  if (same_size) return;
  if (picture_.has_alpha()) scale_by_alpha(rgba, false);
  cv::Mat resized = resampled(rgba, size);
  if (picture_.has_alpha()) scale_by_alpha(resized, true);
  resized.copyTo(to);
}

bool lay_over(Picture& picture, const Layer& layer) {
  cv::Mat& pixels = picture.pixels;
  const cv::Rect at = cv::Rect(layer.area.x, layer.area.y, layer.area.width, layer.area.height) & cv::Rect({}, pixels.size());
  if (at.empty()) return false;
  const ColourProfile colours(picture.colour_profile(), picture.colour_channels());
  std::atomic<bool> changed{false};
  cv::parallel_for_(cv::Range(at.y, at.br().y), [&](const cv::Range& rows) {
    bool here = false;
    for (int y = rows.start; y < rows.end; ++y) {
      const std::size_t first = (static_cast<std::size_t>(y - layer.area.y) * layer.area.width + (at.x - layer.area.x)) * 4;
      const cv::Mat rgba(1, at.width, CV_32FC4, const_cast<float*>(&layer.rgba[first]));
      cv::Mat rgb;
      cv::cvtColor(rgba, rgb, cv::COLOR_RGBA2RGB);
      const cv::Mat own = colours.from_srgb(rgb);
      const std::size_t offset = static_cast<std::size_t>(at.x) * pixels.channels();
      const bool row = pixels.depth() == CV_8U ? blend_row(pixels.ptr<unsigned char>(y) + offset, own, rgba, picture)
                                               : blend_row(pixels.ptr<unsigned short>(y) + offset, own, rgba, picture);
      here = here || row;
    }
    if (here) changed = true;
  });
  return changed;
}

Picture layer_picture(const Layer& layer, const Picture& like) {
  const cv::Mat rgba(layer.area.height, layer.area.width, CV_32FC4, const_cast<float*>(layer.rgba.data()));
  const bool gray = like.colour_channels() == 1;
  Picture picture;
  if (!gray) {  // a gray profile does not describe R'G'B'
    picture.profile = like.profile;
    picture.implied_profile = like.implied_profile;
    picture.metadata.png_colour = like.metadata.png_colour;
  }
  picture.metadata.resolution = like.metadata.resolution;
  cv::Mat rgb, alpha, merged;
  cv::cvtColor(rgba, rgb, cv::COLOR_RGBA2RGB);
  cv::extractChannel(rgba, alpha, 3);
  if (!gray) rgb = ColourProfile(like.colour_profile(), 3).from_srgb(rgb);
  cv::merge(std::vector<cv::Mat>{rgb, alpha}, merged);
  merged.convertTo(picture.pixels, like.pixels.depth(), full_scale(like.pixels.depth()));
  return picture;
}

}  // namespace geometry_transfer::cli
