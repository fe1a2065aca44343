// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "image/constants.h"
#include "image/edit.h"
#include "image/image_pipeline.h"
#include "image/mask.h"
#include "image/relief/relight.h"

namespace geometry_transfer {
namespace {

/// Pixels of a stripe; each thread holds the fields of one stripe at full resolution. The size must not depend on the
/// number of threads, because interpolation starts at each stripe's first row.
constexpr int kStripe = 1 << 16;

cv::Scalar mean_in(const cv::Mat& picture, const cv::Mat& weight) {
  cv::Scalar sum;
  double total = 0;
  for (int y = 0; y < picture.rows; ++y) {
    const float *p = picture.ptr<float>(y), *w = weight.ptr<float>(y);
    for (int x = 0; x < picture.cols; ++x, p += 3) {
      total += w[x];
      for (int c = 0; c < 3; ++c) sum[c] += double(w[x]) * p[c];
    }
  }
  return sum * (1 / std::max(total, 1e-12));
}

/// Returns a ring of bare material around the mask as weights, 0 or 1. Its width is a quarter of the mask's radius, at
/// least 4 pixels.
cv::Mat ring_of(const cv::Mat& mask, const cv::Mat& known) {
  const double radius = std::sqrt(cv::sum(mask)[0] / CV_PI),
               width = std::max(constants::kLeastColourRing, radius * constants::kColourRingShare);
  const cv::Mat distance = distance_outside(mask);
  cv::Mat ring = (distance > 1) & (distance <= 1 + width) & (mask < constants::kHardlySelected), weight;
  if (!known.empty()) ring &= known > constants::kFullyKnown;
  ring.convertTo(weight, CV_32F, 1 / 255.0);
  return weight;
}

/// Limits `lit` to white, 1. Scales it so that its brightest channel is 1, and then mixes in white. The share of white
/// is (brightest channel / limit - 1), at most 1. `before`: the unedited pixel; if it is brighter than white, its
/// brightest channel is the limit.
cv::Vec3f within_white(const cv::Vec3f& lit, const cv::Vec3f& before) {
  const float most = std::max({lit[0], lit[1], lit[2]}), limit = std::max({1.0f, before[0], before[1], before[2]});
  if (most <= limit) return lit;
  const float excess = std::min(1.0f, most / limit - 1);
  cv::Vec3f out;
  for (int c = 0; c < 3; ++c) {
    const float scaled = lit[c] * limit / most;
    out[c] = scaled + (limit - scaled) * excess;
  }
  return out;
}

/// Returns true if two placed masks of one size show the same geometry.
bool coincide(const cv::Mat& a, const cv::Mat& b) {
  return cv::sum(cv::min(a, b))[0] > constants::kSameGeometry * cv::sum(cv::max(a, b))[0];
}

}  // namespace

cv::Mat rows_of(const cv::Mat& field, cv::Size full, int top, int height) {
  if (field.empty()) return {};
  if (field.size() == full) return field.rowRange(top, top + height);
  const double step_x = double(field.cols) / full.width, step_y = double(field.rows) / full.height;
  const cv::Matx23d from_full(step_x, 0, 0.5 * step_x - 0.5, 0, step_y, (top + 0.5) * step_y - 0.5);
  // Warp only the needed rows, so that the cost does not grow with the field.
  const int first = std::clamp(int(top * step_y) - 3, 0, field.rows - 1),
            last = std::clamp(int((top + height) * step_y) + 4, 1, field.rows);
  cv::Matx23d local = from_full;
  local(1, 2) -= first;
  cv::Mat out;
  cv::warpAffine(field.rowRange(first, last), out, cv::Mat(local), {full.width, height}, cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                 cv::BORDER_REPLICATE);
  return out;
}

cv::Scalar colour_shift(const cv::Mat& placed, const cv::Mat& known, const cv::Mat& target, const cv::Mat& mask, Colour colour) {
  if (colour == Colour::surround) {
    const cv::Mat ring = ring_of(mask, known);
    if (cv::countNonZero(ring) > 0) return mean_in(target, ring) - mean_in(placed, ring);
  }
  return mean_in(target, mask) - mean_in(placed, mask);
}

namespace {

/// Puts one edit on `target` in place.
void apply_edit(const PlacedEdit& e, const Request& request, cv::Mat& target) {
  const bool shading = request.colour == Colour::shading;
  const float colour_strength = float(request.colour_strength), strength = float(shading ? e.strength : 1);
  const cv::Vec3f shift_rgb = cv::Vec3d(e.shift.val);
  const int rows = std::max(1, kStripe / std::max(1, target.cols));
  const auto apply = [&](int top) {
    const int height = std::min(rows, target.rows - top);
    const auto part = [&](const cv::Mat& field) { return rows_of(field, target.size(), top, height); };
    const cv::Mat support = part(e.support);
    if (cv::countNonZero(support) == 0) return;
    const cv::Mat shade = part(e.layers.shade), light = part(e.layers.light), own = part(e.layers.own), paste = part(e.paste);
    for (int y = 0; y < height; ++y) {
      cv::Vec3f* pixel = target.ptr<cv::Vec3f>(top + y);
      const float* s = support.ptr<float>(y);
      for (int x = 0; x < target.cols; ++x) {
        if (!(s[x] > 0)) continue;
        cv::Vec3f edited = pixel[x];
        if (shading) {
          const float factor = std::exp(strength * shade.at<float>(y, x)), added = strength * light.at<float>(y, x);
          const float share = paste.empty() ? 0 : std::min(1.0f, strength * own.at<float>(y, x));
          cv::Vec3f lit = edited * factor;
          if (share > 0) lit += (paste.at<cv::Vec3f>(y, x) - lit) * share;
          lit += cv::Vec3f::all(added);
          for (int c = 0; c < 3; ++c) lit[c] = std::max(lit[c], std::min(0.0f, edited[c]));
          edited = factor > 1 || added > 0 ? within_white(lit, edited) : lit;
        }
        if (!shading || colour_strength < 1) {
          const cv::Vec3f pasted = paste.at<cv::Vec3f>(y, x);
          edited = pasted + colour_strength * (shading ? edited - pasted : shift_rgb);
        }
        pixel[x] = edited;
      }
    }
  };
  cv::parallel_for_(cv::Range(0, (target.rows + rows - 1) / rows), [&](const cv::Range& stripes) {
    for (int s = stripes.start; s < stripes.end; ++s) apply(s * rows);
  });
}

}  // namespace

double automatic_strength(const SplitGeometry& split, const cv::Mat& target, const cv::Mat& support) {
  using namespace constants;
  if (!(split.depth < -kDeep) || -split.depth < kSeenInReference * split.grain) return 1;
  const double shrink = std::min(1.0, kStrengthSide / std::max(target.cols, target.rows));
  cv::Mat small, near, log, tone;
  cv::resize(luma_of(target), small, {}, shrink, shrink, cv::INTER_AREA);
  cv::resize(support, near, small.size(), 0, 0, cv::INTER_AREA);
  cv::dilate(near > 0, near, cv::Mat::ones(kStrengthNear, kStrengthNear, CV_8U));
  cv::log(cv::max(small, 0) + kDarkLuma, log);
  cv::GaussianBlur(log, tone, {}, kToneSigma);
  cv::GaussianBlur(log, log, {}, kSpreadSigma);
  cv::Scalar mean, spread;
  cv::meanStdDev(log - tone, mean, spread, near);
  return std::clamp(std::min(kSeen, -split.depth / std::max(split.grain, 1e-3)) * spread[0] / -split.depth, 1.0, kMostStrength);
}

void apply_edits(const std::vector<PlacedEdit>& edits, const Request& request, cv::Mat& target) {
  std::vector<std::vector<const PlacedEdit*>> groups;
  for (const PlacedEdit& e : edits) {
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return coincide(g[0]->mask, e.mask); });
    if (same == groups.end())
      groups.push_back({&e});
    else
      same->push_back(&e);
  }
  for (const auto& group : groups) {
    if (group.size() == 1) {
      apply_edit(*group[0], request, target);
      continue;
    }
    double total = 0;
    for (const PlacedEdit* e : group) total += e->weight;
    const cv::Mat before = target.clone();
    for (const PlacedEdit* e : group) {
      cv::Mat one = before.clone();
      apply_edit(*e, request, one);
      target += (one - before) * (e->weight / total);
    }
  }
}

std::vector<PlacedEdit> placed_edits(const WorkingImages& images, const Request& request, GeometryDecisions* decided) {
  const bool shading = request.colour == Colour::shading;
  cv::Mat small;
  if (!shading) cv::resize(images.target, small, images.view, 0, 0, cv::INTER_AREA);
  std::vector<PlacedEdit> edits;
  for (const WorkingImages::Geometry& g : images.geometries) {
    PlacedEdit e;
    e.support = feathered(g.placed_mask, request.feather * g.pixels_per_canvas);
    e.mask = g.placed_mask, e.paste = g.placed, e.weight = g.weight;
    if (shading) {
      const Patch& patch = g.patch->patch;
      const auto split = split_of(g.cache, *g.patch, request.grow * patch.scale / g.placed_scale, request);
      e.layers = place_layers(layers_lit(*split, g.place, request.turn_light), patch, g.place, images.area.rect, images.view);
      const double automatic = automatic_strength(*split, images.target, e.support);
      e.strength = request.strength < 0 ? automatic : request.strength;
      if (decided && &g == images.geometries.data()) *decided = split->decided, decided->strength = automatic;
    } else {
      e.shift = colour_shift(g.placed, g.placed_known, small, g.placed_mask, request.colour);
    }
    edits.push_back(std::move(e));
  }
  return edits;
}

void edit_onto(const WorkingImages& images, const Request& request, cv::Mat& target, GeometryDecisions* decided) {
  apply_edits(placed_edits(images, request, decided), request, target);
}

cv::Mat edit(const WorkingImages& images, const Request& request, GeometryDecisions* decided) {
  cv::Mat out = images.target.clone();
  edit_onto(images, request, out, decided);
  return out;
}

}  // namespace geometry_transfer
