// SPDX-License-Identifier: GPL-3.0-or-later
/// The live preview: everything is read and the relief carved once, at the widget's resolution; a drag only places fields.
#include "image/preview.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "image/edit.h"
#include "image/mask.h"
#include "image/placement.h"
#include "image/scene.h"

namespace geometry_transfer {
namespace {

/// The carving's grow and feather, in pixels of the patch, in steps that the preview does not show: scaling changes both all the
/// time, and one carving costs more than many drawings. Grow to a quarter of a pixel; feather up to the next power of sqrt(2), as
/// a carving reaches as far as its feather and the drawing, whose feather is exact, takes of it what it needs.
double carved_grow(double pixels) { return std::round(4 * pixels) / 4; }
double carved_feather(double pixels) { return pixels > 0 ? std::exp2(std::ceil(2 * std::log2(std::max(pixels, 0.5))) / 2) : 0; }

/// What the carving depends on; when it changes, and only then, fields are made anew.
struct Key {
  Colour colour;
  double grain, own, show_through, grow, feather;
  bool close_border, paste;
  bool operator==(const Key& o) const {
    return colour == o.colour && grain == o.grain && grow == o.grow && feather == o.feather && close_border == o.close_border &&
           own == o.own && show_through == o.show_through && paste == o.paste;
  }
};

/// One geometry as it lies, at the preview's scale.
struct Patch {
  Geometry geometry;
  Rect area;  ///< of the reference's canvas
  Pixels pixels;
  cv::Mat mask;
  Key key{};
  EditFields fields;
};

cv::Mat warped(const cv::Mat& field, const Affine& index, cv::Size size, const cv::Scalar& outside, bool repeat = false) {
  cv::Mat out;
  cv::warpAffine(field, out, cv::Mat(index), size, cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                 repeat ? cv::BORDER_REPLICATE : cv::BORDER_CONSTANT, outside);
  return out;
}

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
    std::vector<Geometry> found = geometries_of(scene);
    const Affine together = affine_of(placement, centre_of(found));
    for (Geometry& g : found) {
      const cv::Rect2d box = bounds_of(g.shape, then(affine_of(g.reference->placement, g.shape.centroid), together));
      all = all.empty() ? box : (all | box);
      patches_.push_back({std::move(g), {}, {}, {}, {}, {}});
    }
    view_.area = shown(all, scene.target->extent(), bounds);
    const double fit = std::min(double(bounds.width) / view_.area.width, double(bounds.height) / view_.area.height);
    view_.size = {std::max(1, int(view_.area.width * fit)), std::max(1, int(view_.area.height * fit))};
    scale_ = double(view_.size.width) / view_.area.width;
    target_ = sample_colour(*scene.target, kIdentity, view_.area, {view_.size.width, view_.size.height}).rgb;
    bare_ = view_;
    to_bytes(target_, bare_.rgb);
    for (Patch& p : patches_) read(p);
  }

  const View& target() override { return bare_; }

  const View& render(const Request& request) override {
    cv::Mat picture = target_.clone();
    const Affine together = affine_of(request.placement, centre_of(geometries()));
    std::vector<PlacedEdit> edits;
    for (Patch& p : patches_) {
      const Affine place = then(affine_of(p.geometry.reference->placement, p.geometry.shape.centroid), together);
      edits.push_back(placed_edit(p, place, request));
    }
    cv::Mat edited = picture.clone(), alpha;
    apply_edits(edits, request, edited);
    for (const PlacedEdit& e : edits) alpha = alpha.empty() ? e.fields.support.clone() : cv::max(alpha, e.fields.support);
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
  /// Round the geometry with as much room again on each side, as the widget's shape asks, inside the target.
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

  std::vector<Geometry> geometries() const {
    std::vector<Geometry> list;
    for (const Patch& p : patches_) list.push_back(p.geometry);
    return list;
  }

  void read(Patch& p) {
    const Rect box = p.geometry.shape.bounds;
    const int ring = std::max({box.width, box.height, int(std::ceil(32 / scale_))}) / 2 + 1;
    p.area = {box.x - ring, box.y - ring, box.width + 2 * ring, box.height + 2 * ring};
    const double most = 1.5 * std::max(view_.size.width, view_.size.height) / std::max(p.area.width, p.area.height);
    const double at = std::min(scale_, most);
    const cv::Size size(std::max(8, int(std::lround(p.area.width * at))), std::max(8, int(std::lround(p.area.height * at))));
    p.pixels = sample_colour(*p.geometry.reference->colour, kIdentity, p.area, size);
    p.mask = sample_mask(*p.geometry.reference->mask, kIdentity, p.area, size);
    if (!p.pixels.known.empty()) p.mask = p.mask.mul(p.pixels.known);
  }

  PlacedEdit placed_edit(Patch& p, const Affine& place, const Request& request) {
    const double size = std::sqrt(std::abs(place(0, 0) * place(1, 1) - place(0, 1) * place(1, 0)));
    const double patch_scale = double(p.mask.cols) / p.area.width;
    const bool shading = request.colour == Colour::shading;
    const Key key{request.colour,
                  shading ? request.grain : 0,
                  shading ? request.own_material : 0,
                  shading ? request.show_through : 0,
                  carved_grow(request.grow / size * patch_scale),
                  carved_feather(request.feather / size * patch_scale),
                  shading && request.close_border,
                  !shading || request.colour_strength < 1};
    if (p.fields.support.empty() || !(key == p.key)) {
      p.fields = edit_fields(p.pixels.rgb, p.pixels.known, grown(p.mask, key.grow), key.feather, request);
      p.key = key;
    }
    // View index -> canvas -> reference's canvas -> patch index.
    const Affine back = inverse(place);
    const double step = 1 / scale_;
    const cv::Point2d origin = map(back, {view_.area.x + 0.5 * step, view_.area.y + 0.5 * step});
    const double px = patch_scale, py = double(p.mask.rows) / p.area.height;
    const Affine index(back(0, 0) * step * px, back(0, 1) * step * px, (origin.x - p.area.x) * px - 0.5, back(1, 0) * step * py,
                       back(1, 1) * step * py, (origin.y - p.area.y) * py - 0.5);
    const cv::Size view(view_.size.width, view_.size.height);
    const cv::Mat mask = grown(warped(p.mask, index, view, 0), request.grow * scale_);
    EditFields placed;
    placed.support = feathered(mask, request.feather * scale_);
    if (shading) {
      const Shading& carved = p.fields.carving.shading;
      Shading& there = placed.carving.shading;
      there.factor = warped(carved.factor, index, view, 1);
      there.headroom = warped(carved.headroom, index, view, 0);
      there.light = warped(carved.light, index, view, 0);
      if (const Glow& glow = carved.glow; !glow.empty())
        there.glow = {warped(glow.factor, index, view, 1), warped(glow.headroom, index, view, 0),
                      warped(glow.contrast, index, view, 1)};
      const OwnMaterial& own = p.fields.carving.own;
      if (!own.share.empty()) placed.carving.own = {warped(own.colour, index, view, {}, true), warped(own.share, index, view, 0)};
    }
    cv::Scalar shift;
    if (!p.fields.paste.empty()) {
      placed.paste = warped(p.fields.paste, index, view, {}, true);
      if (!shading) {
        const cv::Mat known = warped(cv::Mat(p.mask.size(), CV_32FC1, cv::Scalar(1)), index, view, 0);
        shift = colour_shift(placed.paste, known, target_, mask, request.colour);
      }
    }
    return {std::move(placed), shift, mask, p.geometry.reference->weight};
  }

  std::vector<Patch> patches_;
  View view_, bare_;
  cv::Mat target_;
  double scale_ = 1;  ///< view pixels a canvas pixel
};

}  // namespace

std::unique_ptr<Preview> make_preview(const Scene& scene, Size bounds, const Placement& placement) {
  return std::make_unique<LivePreview>(scene, bounds, placement);
}

}  // namespace geometry_transfer
