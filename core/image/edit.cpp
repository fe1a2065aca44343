// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "image/edit.h"
#include "image/mask.h"
#include "image/stages.h"

namespace geometry_transfer {
namespace {

/// Fields at full resolution are only ever this many pixels at once, of each thread. Not by the number of threads: a field's
/// stripe is interpolated in fixed steps from its first row.
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

/// A ring of bare material about as wide as makes its area a good sample: a quarter of the selection's radius, 4 pixels at least.
cv::Mat ring_of(const cv::Mat& mask, const cv::Mat& known) {
  const double radius = std::sqrt(cv::sum(mask)[0] / CV_PI), width = std::max(4.0, radius / 4);
  const cv::Mat distance = distance_outside(mask);
  cv::Mat ring = (distance > 1) & (distance <= 1 + width) & (mask < 0.02), weight;
  if (!known.empty()) ring &= known > 0.99;
  ring.convertTo(weight, CV_32F, 1 / 255.0);
  return weight;
}

/// `field` of the view's size, seen in rows [y, y + height) of a picture of `full` size.
cv::Mat stripe(const cv::Mat& field, cv::Size full, int y, int height) {
  if (field.empty()) return {};
  if (field.size() == full) return field.rowRange(y, y + height);
  const double step_x = double(field.cols) / full.width, step_y = double(field.rows) / full.height;
  const cv::Matx23d from_full(step_x, 0, 0.5 * step_x - 0.5, 0, step_y, (y + 0.5) * step_y - 0.5);
  // Only the rows that matter, so that a stripe's cost is a stripe's.
  const int first = std::clamp(int(y * step_y) - 3, 0, field.rows - 1),
            last = std::clamp(int((y + height) * step_y) + 4, 1, field.rows);
  cv::Matx23d local = from_full;
  local(1, 2) -= first;
  cv::Mat out;
  cv::warpAffine(field.rowRange(first, last), out, cv::Mat(local), {full.width, height}, cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                 cv::BORDER_REPLICATE);
  return out;
}

/// The geometry's light on the pixels of one stripe.
class LightOnStripe {
 public:
  /// `part` cuts a field to the stripe.
  template <class Part>
  LightOnStripe(const Shading& s, const Part& part)
      : factor_(part(s.factor)),
        headroom_(part(s.headroom)),
        light_(part(s.light)),
        glow_{part(s.glow.factor), part(s.glow.headroom), part(s.glow.contrast)} {}

  /// R'G'B' of a target's pixel -> with the light on it.
  cv::Vec3f on(const cv::Vec3f& target, int y, int x) const {
    cv::Vec3f lit;
    const float by = factor_.at<float>(y, x) - 1;
    for (int c = 0; c < 3; ++c) {
      const float more = target[c] * by;
      lit[c] = target[c];
      lit[c] += by > 0 ? std::min(std::max(0.f, more), std::max(0.f, 1 - target[c]) * headroom_.at<float>(y, x)) : more;
      lit[c] += std::max(0.f, 1 - lit[c]) * light_.at<float>(y, x);
    }
    if (!glow_.empty()) against_glow(target, y, x, lit);
    return lit;
  }

 private:
  /// Where a target is too near to white to brighten, what is dark against a brightening would drown: there it is darkened
  /// against what the brightening came to instead, the more the brighter the pixel would get.
  void against_glow(const cv::Vec3f& target, int y, int x, cv::Vec3f& lit) const {
    constexpr float kFrom = 0.8f, kTo = 1.1f;
    const float by = glow_.factor.at<float>(y, x) - 1;
    if (!(by > 0)) return;
    const float luma = 0.299f * target[0] + 0.587f * target[1] + 0.114f * target[2];
    const float share = std::clamp((luma * (1 + by) - kFrom) / (kTo - kFrom), 0.f, 1.f);
    if (!(share > 0)) return;
    for (int c = 0; c < 3; ++c) {
      const float room = std::max(0.f, 1 - target[c]) * glow_.headroom.at<float>(y, x);
      const float glowing = target[c] + std::min(target[c] * by, room);
      lit[c] += share * std::min(0.f, glowing * glow_.contrast.at<float>(y, x) - lit[c]);
    }
  }

  cv::Mat factor_, headroom_, light_;
  Glow glow_;
};

/// Two placed masks of one size show the same geometry.
bool coincide(const cv::Mat& a, const cv::Mat& b) { return cv::sum(cv::min(a, b))[0] > 0.5 * cv::sum(cv::max(a, b))[0]; }

}  // namespace

cv::Scalar colour_shift(const cv::Mat& placed, const cv::Mat& known, const cv::Mat& target, const cv::Mat& mask, Colour colour) {
  if (colour == Colour::surround) {
    const cv::Mat ring = ring_of(mask, known);
    if (cv::countNonZero(ring) > 0) return mean_in(target, ring) - mean_in(placed, ring);
  }
  return mean_in(target, mask) - mean_in(placed, mask);
}

EditFields edit_fields(const cv::Mat& placed, const cv::Mat& known, const cv::Mat& mask, double feather, const Request& request) {
  EditFields f;
  f.support = feathered(mask, feather);
  if (request.colour == Colour::shading)
    f.carving =
        carve(placed, mask, f.support, known, {request.grain, request.close_border, request.own_material, request.show_through});
  if (request.colour != Colour::shading || request.colour_strength < 1) f.paste = placed;
  return f;
}

void apply_fields(const EditFields& f, const cv::Scalar& shift, const Request& request, cv::Mat& target) {
  const bool shading = request.colour == Colour::shading;
  const float strength = float(request.colour_strength), kept = float(request.own_material);
  const cv::Vec3f shift_rgb = cv::Vec3d(shift.val);
  const int rows = std::max(1, kStripe / std::max(1, target.cols));
  const auto apply = [&](int top) {
    const int height = std::min(rows, target.rows - top);
    const auto part = [&](const cv::Mat& field) { return stripe(field, target.size(), top, height); };
    const cv::Mat support = part(f.support);
    if (cv::countNonZero(support) == 0) return;
    const LightOnStripe light(f.carving.shading, part);
    const cv::Mat own = part(f.carving.own.colour), own_share = part(f.carving.own.share), paste = part(f.paste);
    for (int y = 0; y < height; ++y) {
      cv::Vec3f* pixel = target.ptr<cv::Vec3f>(top + y);
      const float* s = support.ptr<float>(y);
      for (int x = 0; x < target.cols; ++x) {
        if (!(s[x] > 0)) continue;
        cv::Vec3f edited = pixel[x];
        if (shading) edited = light.on(pixel[x], y, x);
        if (shading && !own.empty()) edited += kept * own_share.at<float>(y, x) * (own.at<cv::Vec3f>(y, x) - edited);
        if (!paste.empty()) {
          const cv::Vec3f pasted = paste.at<cv::Vec3f>(y, x);
          edited = pasted + strength * (shading ? edited - pasted : shift_rgb);
        }
        pixel[x] = edited;
      }
    }
  };
  cv::parallel_for_(cv::Range(0, (target.rows + rows - 1) / rows), [&](const cv::Range& stripes) {
    for (int s = stripes.start; s < stripes.end; ++s) apply(s * rows);
  });
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
      apply_fields(group[0]->fields, group[0]->shift, request, target);
      continue;
    }
    double total = 0;
    for (const PlacedEdit* e : group) total += e->weight;
    const cv::Mat before = target.clone();
    for (const PlacedEdit* e : group) {
      cv::Mat one = before.clone();
      apply_fields(e->fields, e->shift, request, one);
      target += (one - before) * (e->weight / total);
    }
  }
}

void edit_onto(const Views& views, const Request& request, cv::Mat& target) {
  cv::Mat small;
  if (request.colour != Colour::shading) cv::resize(views.target, small, views.view, 0, 0, cv::INTER_AREA);
  std::vector<PlacedEdit> edits;
  for (const Views::Geometry& g : views.geometries) {
    PlacedEdit e{edit_fields(g.placed, g.placed_known, g.placed_mask, request.feather * g.pixels_per_canvas, request),
                 {},
                 g.placed_mask,
                 g.weight};
    if (request.colour != Colour::shading) e.shift = colour_shift(g.placed, g.placed_known, small, g.placed_mask, request.colour);
    edits.push_back(std::move(e));
  }
  apply_edits(edits, request, target);
}

cv::Mat edit(const Views& views, const Request& request) {
  cv::Mat out = views.target.clone();
  edit_onto(views, request, out);
  return out;
}

}  // namespace geometry_transfer
