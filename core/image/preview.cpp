// SPDX-License-Identifier: GPL-3.0-or-later
/// The live preview reads each reference once, at most at the widget's resolution. It splits a reference again only if
/// a slider of the split changes; a drag only places the layers.
#include "image/preview.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "image/constants.h"
#include "image/edit.h"
#include "image/kept_reference.h"
#include "image/mask.h"
#include "image/placement.h"
#include "image/relief/relight.h"
#include "image/scene.h"

namespace geometry_transfer {
namespace {

/// The split depends on these; it is computed again only if one of them changes.
struct Key {
  double grain, own, show_through, grow;
  bool operator==(const Key& o) const {
    return grain == o.grain && own == o.own && show_through == o.show_through && grow == o.grow;
  }
};

/// One unplaced geometry, at the preview's scale, and its layers.
struct SplitPatch {
  MeasuredReference geometry;
  std::shared_ptr<const NamedPatch> named;
  Key key{};
  std::shared_ptr<const SplitGeometry> split;
  const Patch& patch() const { return named->patch; }
};

void to_bytes(const cv::Mat& rgb, std::vector<unsigned char>& out) {
  out.resize(rgb.total() * 3);
  cv::Mat bytes(rgb.rows, rgb.cols, CV_8UC3, out.data());
  rgb.convertTo(bytes, CV_8UC3, 255);
}

class LivePreview : public Preview {
 public:
  LivePreview(const Scene& scene, Size bounds, const Placement& placement) {
    check_target(scene);
    cv::Rect2d all;
    std::vector<MeasuredReference> found = geometries_of(scene);
    const Affine together = affine_of(placement, centre_of(found));
    for (MeasuredReference& g : found) {
      const cv::Rect2d box = bounds_of(g.shape, composed(affine_of(g.reference->placement, g.shape.centroid), together));
      all = all.empty() ? box : (all | box);
      patches_.push_back({std::move(g), nullptr, {}, nullptr});
    }
    view_.area = shown(all, scene.target->extent(), bounds);
    const double fit = std::min(double(bounds.width) / view_.area.width, double(bounds.height) / view_.area.height);
    view_.size = {std::max(1, int(view_.area.width * fit)), std::max(1, int(view_.area.height * fit))};
    scale_ = double(view_.size.width) / view_.area.width;
    target_ = sample_colour(*scene.target, kIdentity, view_.area, {view_.size.width, view_.size.height}).rgb;
    unedited_ = view_;
    to_bytes(target_, unedited_.rgb);
    for (SplitPatch& p : patches_) {
      const Rect& box = p.geometry.shape.bounds;
      const double most = 1.5 * std::max(view_.size.width, view_.size.height) / std::max(1, std::max(box.width, box.height));
      p.named = patch_of(p.geometry, std::min(scale_, most));
    }
  }

  const View& target() override { return unedited_; }
  const GeometryDecisions& decided() const override { return decided_; }

  const View& render(const Request& request) override {
    cv::Mat picture = target_.clone();
    const Affine together = affine_of(request.placement, centre_of(geometries()));
    std::vector<PlacedEdit> edits;
    for (SplitPatch& p : patches_) {
      const Affine place = composed(affine_of(p.geometry.reference->placement, p.geometry.shape.centroid), together);
      edits.push_back(placed_edit(p, place, request));
    }
    cv::Mat edited = picture.clone(), alpha;
    apply_edits(edits, request, edited);
    for (const PlacedEdit& e : edits) alpha = alpha.empty() ? e.support.clone() : cv::max(alpha, e.support);
    for (int y = 0; y < picture.rows; ++y) {
      float* out = picture.ptr<float>(y);
      const float *e = edited.ptr<float>(y), *a = alpha.ptr<float>(y);
      for (int x = 0; x < picture.cols; ++x)
        for (int c = 0; c < 3; ++c) out[3 * x + c] += a[x] * (e[3 * x + c] - out[3 * x + c]);
    }
    to_bytes(picture, view_.rgb);
    return view_;
  }

 private:
  /// Returns the shown area: at least three times the geometry's size, in the widget's shape, at least 48 canvas pixels
  /// high, inside the target.
  static Rect shown(const cv::Rect2d& geometry, const Rect& target, Size bounds) {
    const double ratio = double(std::max(1, bounds.width)) / std::max(1, bounds.height);
    const double height = std::max({3 * geometry.height, 3 * geometry.width / ratio, 48.0}), width = height * ratio;
    const auto side = [](double wanted, double middle, int low, int high, int& start, int& length) {
      length = std::clamp(int(std::lround(wanted)), 1, high - low);
      start = int(std::clamp(std::round(middle - length / 2.0), double(low), double(high - length)));
    };
    Rect r;
    side(width, geometry.x + geometry.width / 2, target.x, target.right(), r.x, r.width);
    side(height, geometry.y + geometry.height / 2, target.y, target.bottom(), r.y, r.height);
    return r;
  }

  std::vector<MeasuredReference> geometries() const {
    std::vector<MeasuredReference> list;
    for (const SplitPatch& p : patches_) list.push_back(p.geometry);
    return list;
  }

  PlacedEdit placed_edit(SplitPatch& p, const Affine& place, const Request& request) {
    const double size = scale_of(place);
    const bool shading = request.colour == Colour::shading;
    const Key key{request.grain, request.own_material, request.show_through, stepped_grow(request.grow / size * p.patch().scale)};
    if (shading && (!p.split || !(key == p.key))) {
      p.split = split_of(cache_of(*p.geometry.reference), *p.named, key.grow, request);
      p.key = key;
    }
    const cv::Size view(view_.size.width, view_.size.height);
    const auto placed = [&](const cv::Mat& field, bool repeat) {
      return place_field(field, p.patch(), place, view_.area, view, repeat);
    };
    PlacedEdit e;
    e.mask = grown(placed(p.patch().mask, false), request.grow * scale_);
    e.support = feathered(e.mask, request.feather * scale_);
    e.weight = p.geometry.reference->weight;
    if (shading) {
      const double automatic = automatic_strength(*p.split, target_, e.support);
      e.strength = request.strength < 0 ? automatic : request.strength;
      if (&p == patches_.data()) decided_ = p.split->decided, decided_.strength = automatic;
    }
    if (shading) e.layers = place_layers(layers_lit(*p.split, place, request.turn_light), p.patch(), place, view_.area, view);
    if (!shading || request.colour_strength < 1 || p.split->decided.own_material > constants::kNoOwn)
      e.paste = placed(p.patch().rgb, true);
    if (!shading) {
      const cv::Mat known = placed(cv::Mat(p.patch().mask.size(), CV_32FC1, cv::Scalar(1)), false);
      e.shift = colour_shift(e.paste, known, target_, e.mask, request.colour);
    }
    return e;
  }

  std::vector<SplitPatch> patches_;
  View view_, unedited_;
  cv::Mat target_;
  GeometryDecisions decided_;
  double scale_ = 1;  ///< view pixels per canvas pixel
};

}  // namespace

std::unique_ptr<Preview> make_preview(const Scene& scene, Size bounds, const Placement& placement) {
  return std::make_unique<LivePreview>(scene, bounds, placement);
}

}  // namespace geometry_transfer
