// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/relief/layers.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "image/constants.h"
#include "image/mask.h"
#include "image/relief/network.h"
#include "image/relief/own_material.h"
#include "image/relief/relight.h"

namespace geometry_transfer {
using namespace constants;
namespace {

/// Pixels: a picture with no side above kOnePiece is computed at once, a larger one in tiles. Each tile is computed
/// with kTileMargin pixels more on each side, which are thrown away.
constexpr int kTile = 256, kTileMargin = 48, kOnePiece = 400;

cv::Mat gaussian(const cv::Mat& m, double sigma) {
  const int radius = std::max(1, cvRound(3 * sigma));
  cv::Mat out;
  cv::GaussianBlur(m, out, {2 * radius + 1, 2 * radius + 1}, sigma, sigma, cv::BORDER_REFLECT_101);
  return out;
}

cv::Mat dilated(const cv::Mat& m, int side) {
  cv::Mat out;
  cv::dilate(m, out, cv::Mat::ones(side, side, CV_8U));
  return out;
}

/// Averages each 2 x 2 pixels. The last row or column of an odd side is repeated for this.
cv::Mat halved(const cv::Mat& m) {
  const int rows = (m.rows + 1) / 2, cols = (m.cols + 1) / 2, c = m.channels();
  cv::Mat out(rows, cols, m.type());
  for (int y = 0; y < rows; ++y) {
    const float *a = m.ptr<float>(2 * y), *b = m.ptr<float>(std::min(2 * y + 1, m.rows - 1));
    float* o = out.ptr<float>(y);
    for (int x = 0; x < cols; ++x) {
      const int left = 2 * x * c, right = std::min(2 * x + 1, m.cols - 1) * c;
      for (int i = 0; i < c; ++i) *o++ = 0.25f * (a[left + i] + a[right + i] + b[left + i] + b[right + i]);
    }
  }
  return out;
}

cv::Mat mean_of_channels(const cv::Mat& rgb) {
  cv::Mat out;
  cv::transform(rgb, out, cv::Matx13f(1 / 3.0f, 1 / 3.0f, 1 / 3.0f));
  return out;
}

/// Returns log((mean + kDark) / (mean of the tone + kDark)), means over the three channels.
cv::Mat log_ratio(const cv::Mat& rgb, const cv::Mat& tone) {
  cv::Mat over = mean_of_channels(rgb) + kDark, under = mean_of_channels(tone) + kDark, out;
  cv::log(over / under, out);
  return out;
}

/// Returns the network's input planes (see kInputs in network.h).
cv::Mat planes_of(const cv::Mat& rgb, const cv::Mat& selected, const cv::Mat& tone, const cv::Mat& ratio) {
  cv::Mat planes(rgb.size(), CV_32FC(relief::kInputs));
  for (int y = 0; y < rgb.rows; ++y) {
    const float *s = rgb.ptr<float>(y), *t = tone.ptr<float>(y), *m = selected.ptr<float>(y), *r = ratio.ptr<float>(y);
    float* p = planes.ptr<float>(y);
    for (int x = 0; x < rgb.cols; ++x, s += 3, t += 3, p += relief::kInputs) {
      for (int c = 0; c < 3; ++c) p[c] = s[c] - 0.5f, p[4 + c] = t[c] - 0.5f, p[7 + c] = s[c] - t[c];
      p[3] = m[x], p[10] = r[x];
    }
  }
  return planes;
}

/// Runs the network. `planes` with a side above kOnePiece are split into tiles; a tile without selection stays 0.
cv::Mat run_network(const cv::Mat& planes, const cv::Mat& near_selection) {
  const relief::Network& network = relief::Network::shipped();
  if (planes.rows <= kOnePiece && planes.cols <= kOnePiece) return network(planes);
  cv::Mat out = cv::Mat::zeros(planes.size(), CV_32FC(relief::kOutputs));
  const cv::Rect all({}, planes.size());
  for (int y = 0; y < planes.rows; y += kTile)
    for (int x = 0; x < planes.cols; x += kTile) {
      const cv::Rect tile = cv::Rect(x, y, kTile, kTile) & all;
      if (cv::countNonZero(near_selection(tile)) == 0) continue;
      const cv::Rect wide = cv::Rect(x - kTileMargin, y - kTileMargin, kTile + 2 * kTileMargin, kTile + 2 * kTileMargin) & all;
      network(planes(wide))(tile - wide.tl()).copyTo(out(tile));
    }
  return out;
}

/// Returns the slider's `value`, or `decided` if the slider is on automatic (below 0).
double value_or(double value, double decided) { return value < 0 ? decided : value; }

/// Applies the slider *Remove grain*. Below 1 it mixes the reference's own ratio back in; above 1 it removes faint
/// shade.
void adjust_grain(GeometryLayers& layers, const cv::Mat& ratio, const cv::Mat& soft, double grain) {
  if (grain < 1) {
    cv::Mat all = ratio.mul(soft), bounded = cv::min(cv::max(all, kLeastShade), kMostShade);
    layers.shade = layers.shade * grain + bounded * (1 - grain);
    layers.light = layers.light * grain, layers.own = layers.own * grain;
  } else if (grain > 1) {
    const float faint = kFaint * float(grain - 1);
    for (int y = 0; y < layers.shade.rows; ++y) {
      float* s = layers.shade.ptr<float>(y);
      for (int x = 0; x < layers.shade.cols; ++x) s[x] = s[x] * s[x] * s[x] / (s[x] * s[x] + faint * faint);
    }
  }
}

/// Returns true for water. It glints: the brightest part of the light layer is above kGlint. And it has no colour of
/// its own (`colour`, see own_colour), as bright paint has.
bool is_water(const GeometryLayers& layers, const cv::Mat& colour) {
  std::vector<float> lit;
  double coloured = 0;
  for (int y = 0; y < layers.light.rows; ++y)
    for (int x = 0; x < layers.light.cols; ++x)
      if (const float l = layers.light.at<float>(y, x); std::abs(l) > kSomeLight)
        lit.push_back(l), coloured += colour.at<float>(y, x);
  if (lit.size() < kEnoughPixels || coloured > kMostColour * double(lit.size())) return false;
  const auto high = lit.begin() + std::ptrdiff_t(kBrightest * double(lit.size() - 1));
  std::nth_element(lit.begin(), high, lit.end());
  return *high > kGlint;
}

/// Limits shade and light to 1.3 times the strongest difference from the tone nearby. Reduces own material where the
/// difference is small. An even reference therefore changes nothing.
void limit_to_evidence(GeometryLayers& layers, const cv::Mat& source, const cv::Mat& tone, const cv::Mat& ratio, bool water) {
  cv::Mat difference, planes[3];
  cv::absdiff(source, tone, difference);
  cv::split(difference, planes);
  const cv::Mat most_difference = dilated(cv::max(cv::max(planes[0], planes[1]), planes[2]), kEvidenceSide),
                most_ratio = dilated(cv::abs(ratio), kEvidenceSide), tone_mean = mean_of_channels(tone);
  for (int y = 0; y < ratio.rows; ++y)
    for (int x = 0; x < ratio.cols; ++x) {
      const float difference_here = std::max(0.0f, most_difference.at<float>(y, x) - kRounding),
                  most_light = kMostOverEvidence * difference_here,
                  most_shade = kMostOverEvidence * std::max(0.0f, most_ratio.at<float>(y, x) - kRounding);
      float& shade = layers.shade.at<float>(y, x);
      float& light = layers.light.at<float>(y, x);
      shade = std::clamp(shade, -most_shade, most_shade);
      light = std::clamp(light, -most_light, most_light);
      // Turn added light inside a shade into weaker shade. The reference looks the same; a target keeps its hue. Water
      // is left as it is, because it reflects light of its own.
      if (const float tone_here = std::max(tone_mean.at<float>(y, x), kDark); !water && shade < 0 && light > 0) {
        const float folded = std::min(light, tone_here * (1 - std::exp(shade)));
        shade = std::log(std::exp(shade) + folded / tone_here);
        light -= folded;
      }
      float& own = layers.own.at<float>(y, x);
      own *= std::min(1.0f, difference_here / kClearlyOwn);
      // Reduce own material in half-dark pixels, because they mix the crack's floor with the bare material beside it.
      if (const float t = std::clamp((own - kMixed) / (kPure - kMixed), 0.0f, 1.0f); ratio.at<float>(y, x) < 0)
        own *= smoothstep(t);
    }
}

/// Returns the positive part of `field` without details narrower than a sixteenth of `size` (pixels).
cv::Mat broad_brightening(const cv::Mat& field, double size) {
  const int radius = std::max(2, cvRound(kBroad * size));
  const cv::Mat disc = cv::getStructuringElement(cv::MORPH_ELLIPSE, {2 * radius + 1, 2 * radius + 1});
  cv::Mat wide;
  cv::morphologyEx(field, wide, cv::MORPH_CLOSE, disc);
  cv::morphologyEx(wide, wide, cv::MORPH_OPEN, disc);
  return cv::max(gaussian(wide, radius / 2.0), 0);
}

/// Sets split.depth and split.grain; leaves them 0 if the selection has too few dark pixels.
void measure_contrast(const cv::Mat& shade, const cv::Mat& mask, const cv::Mat& bare, const cv::Mat& ratio,
                      SplitGeometry& split) {
  std::vector<float> dark;
  for (int y = 0; y < mask.rows; ++y)
    for (int x = 0; x < mask.cols; ++x)
      if (mask.at<float>(y, x) > kSelected && shade.at<float>(y, x) < kSomeShade) dark.push_back(shade.at<float>(y, x));
  if (dark.size() < kEnoughPixels) return;
  const auto fifth = dark.begin() + std::ptrdiff_t(dark.size() / kDarkestPart);
  std::nth_element(dark.begin(), fifth, dark.end());
  double sum = 0;
  for (auto v = dark.begin(); v <= fifth; ++v) sum += *v;
  split.depth = sum / double(fifth - dark.begin() + 1);
  cv::Scalar mean, spread;
  cv::meanStdDev(gaussian(ratio, kSpreadSigma), mean, spread, bare > kSelected);
  split.grain = spread[0];
}

/// Returns the boxes of the selection's connected pieces, for example droplets. Returns the whole picture if there are
/// too many pieces, or if boxes overlap.
std::vector<cv::Rect> pieces_of(const cv::Mat& selected) {
  const cv::Rect all({}, selected.size());
  cv::Mat labels, boxes, centres;
  const int count = cv::connectedComponentsWithStats(selected > 0, labels, boxes, centres);
  std::vector<cv::Rect> pieces;
  for (int i = 1; i < count && count <= kMostPieces + 1; ++i) {
    const int* b = boxes.ptr<int>(i);
    const cv::Rect piece(b[cv::CC_STAT_LEFT], b[cv::CC_STAT_TOP], b[cv::CC_STAT_WIDTH], b[cv::CC_STAT_HEIGHT]);
    for (const cv::Rect& other : pieces)
      if (!(piece & other).empty()) return {all};
    pieces.push_back(piece);
  }
  if (pieces.empty()) return {all};
  return pieces;
}

/// Turns broad light of water into weaker shade, until the factor on the target is kThroughWater: this light comes
/// through the water, so it has the target's colour. Glints, rims and the rest of the light stay white. Works on each
/// of the `pieces`.
void colour_water(GeometryLayers& layers, const cv::Mat& tone, const std::vector<cv::Rect>& pieces) {
  const cv::Mat tone_luma = mean_of_channels(tone);
  for (const cv::Rect& piece : pieces) {
    cv::Mat light = layers.light(piece), shade = layers.shade(piece);
    const cv::Mat broad = cv::min(broad_brightening(light, std::max(piece.width, piece.height)), cv::max(light, 0));
    for (int y = 0; y < piece.height; ++y)
      for (int x = 0; x < piece.width; ++x) {
        float& s = shade.at<float>(y, x);
        const float tone_here = std::max(tone_luma.at<float>(piece.y + y, piece.x + x), kDark), factor = std::exp(s),
                    through = std::clamp((kThroughWater - factor) * tone_here, 0.0f, broad.at<float>(y, x));
        s = std::log(factor + through / tone_here);
        light.at<float>(y, x) -= through;
      }
  }
}

/// Returns the automatic values of own material and show-through.
GeometryDecisions decisions_of(const GeometryLayers& layers, const cv::Mat& mask, bool water) {
  GeometryDecisions d;
  std::vector<float> own;
  for (int y = 0; y < mask.rows; ++y)
    for (int x = 0; x < mask.cols; ++x)
      if (mask.at<float>(y, x) > kSelected) own.push_back(layers.own.at<float>(y, x));
  if (own.empty()) return d;
  d.water = water;
  if (water) d.show_through = kWater;
  const auto high = own.begin() + std::ptrdiff_t(kMostOwn * double(own.size() - 1));
  std::nth_element(own.begin(), high, own.end());
  d.own_material = std::clamp(double(*high), 0.0, 1.0);
  return d;
}

}  // namespace

cv::Mat bare_tone(const cv::Mat& rgb, const cv::Mat& bare) {
  cv::Mat weight3;
  cv::merge(std::vector<cv::Mat>(3, bare), weight3);
  std::vector<cv::Mat> sums = {rgb.mul(weight3)}, weights = {bare};
  while (std::min(sums.back().rows, sums.back().cols) > 4) {
    sums.push_back(halved(sums.back()));
    weights.push_back(halved(weights.back()));
  }
  const double total = std::max(cv::sum(weights.back())[0], 1e-3);
  cv::Mat out(sums.back().size(), CV_32FC3, cv::sum(sums.back()) * (1 / total));
  for (int level = int(sums.size()) - 1; level >= 0; --level) {
    cv::Mat up;
    cv::resize(out, up, sums[level].size(), 0, 0, cv::INTER_LINEAR);
    out = up;
    if (sums[level].cols > rgb.cols / 8.0) continue;
    for (int y = 0; y < out.rows; ++y)
      for (int x = 0; x < out.cols; ++x) {
        const float w = weights[level].at<float>(y, x), share = w / (w + kToneMix);
        cv::Vec3f& o = out.at<cv::Vec3f>(y, x);
        o = o * (1 - share) + sums[level].at<cv::Vec3f>(y, x) * (share / std::max(w, 1e-3f));
      }
  }
  return out;
}

SplitGeometry split_geometry(const cv::Mat& rgb, const cv::Mat& mask, const cv::Mat& known, const Request& request) {
  const cv::Mat source = cv::min(cv::max(rgb, 0), 1);
  cv::Mat selected, bare;
  cv::Mat(mask > kSelected).convertTo(selected, CV_32F, 1 / 255.0);
  cv::subtract(1, dilated(selected, 2 * kGrow + 1), bare);
  if (!known.empty()) bare.setTo(0, known < kFullyKnown);
  if (cv::countNonZero(bare > kSelected) < kEnoughBare) {  // no bare material: use the tone of the whole picture
    bare = cv::Mat::ones(rgb.size(), CV_32FC1);
    if (!known.empty()) bare.setTo(0, known < kFullyKnown);
  }
  const cv::Mat tone = bare_tone(source, bare), ratio = log_ratio(source, tone);
  cv::Mat soft = gaussian(dilated(selected, kSoftSide), kSoftSigma);
  if (!known.empty()) soft.setTo(0, known < kSelected);
  const cv::Mat raw = run_network(planes_of(source, selected, tone, ratio), soft > 0);

  SplitGeometry out;
  GeometryLayers& l = out.layers;
  for (cv::Mat* field : {&l.shade, &l.light, &l.own}) field->create(rgb.size(), CV_32FC1);
  for (int y = 0; y < rgb.rows; ++y) {
    const float *r = raw.ptr<float>(y), *s = soft.ptr<float>(y);
    for (int x = 0; x < rgb.cols; ++x, r += relief::kOutputs) {
      l.shade.at<float>(y, x) = std::clamp(r[0], kLeastShade, kMostShade) * s[x];
      l.light.at<float>(y, x) = r[1] * s[x];
      l.own.at<float>(y, x) = s[x] / (1 + std::exp(kOwnBias - r[2]));
    }
  }
  const cv::Mat colour = own_colour(source, tone, soft, bare);
  const bool water = is_water(l, colour);
  limit_to_evidence(l, source, tone, ratio, water);
  if (water)
    colour_water(l, tone, pieces_of(selected));
  else
    raise_own(l, colour);
  out.decided = decisions_of(l, selected, water);
  measure_contrast(l.shade, selected, bare, ratio, out);

  adjust_grain(l, ratio, soft, request.grain);
  if (request.own_material >= 0)
    adjust_own(l, other_material(source, tone, soft), request.own_material, out.decided.own_material);
  if (const double through = value_or(request.show_through, out.decided.show_through); through > 0) {
    for (const cv::Rect& piece : pieces_of(selected)) {
      const double size = std::max(piece.width, piece.height);
      for (cv::Mat* field : {&l.shade, &l.light}) {
        cv::Mat part = (*field)(piece);
        part -= through * broad_brightening(part, size);
      }
    }
    if (request.own_material < 0) l.own = l.own * (1 - through);
  }
  if (!water) {
    const cv::Point2d light = light_of(l, cv::mean(mean_of_channels(tone))[0]);
    out.decided.light_x = light.x, out.decided.light_y = light.y;
  }
  return out;
}

}  // namespace geometry_transfer
