// SPDX-License-Identifier: GPL-3.0-or-later
/// Reads the pixels that a transfer needs from the hosts' rasters: only the working rectangle, and each raster once.
#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "image/mask.h"
#include "image/scene.h"
#include "image/working_area.h"
#include "request/memory.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

/// A reference, its selection, and the map from its canvas to the target's.
struct Placed {
  const Reference* reference;
  MaskShape shape;
  Affine place;
};

Rect whole(const cv::Rect2d& r) {
  const auto low = [](double v) { return static_cast<int>(std::clamp(std::floor(v), -1e9, 1e9)); };
  const auto high = [](double v) { return static_cast<int>(std::clamp(std::ceil(v), -1e9, 1e9)); };
  Rect out{low(r.x), low(r.y), 0, 0};
  out.width = high(r.x + r.width) - out.x, out.height = high(r.y + r.height) - out.y;
  return out;
}

/// Returns all geometries with their maps: each one's own placement, and then the request's about the common centre.
std::vector<Placed> placed(const Scene& scene, const Request& request) {
  const std::vector<MeasuredReference> geometries = geometries_of(scene);
  const Affine together = affine_of(request.placement, centre_of(geometries));
  std::vector<Placed> list;
  for (const MeasuredReference& g : geometries)
    list.push_back({g.reference, g.shape, composed(affine_of(g.reference->placement, g.shape.centroid), together)});
  return list;
}

/// Returns a map that scales the reference as its placement does, but neither turns nor flips it. It moves the mask to
/// the middle of `rect`, or so near to it that the reference still covers `rect`.
Affine unplaced_map(const Placed& p, const Rect& rect) {
  const double scale = scale_of(p.place);
  Affine a(scale, 0, 0, 0, scale, 0);
  const auto shift = [](double middle, double low, double high, int start, int length) {
    double s = start + length / 2.0 - middle;
    if (high - low >= length) s = std::clamp(s, start + length - high, start - low);
    return std::round(s);
  };
  const Rect e = p.reference->colour->extent(), b = p.shape.bounds;
  a(0, 2) = shift(scale * (b.x + b.width / 2.0), scale * e.x, scale * e.right(), rect.x, rect.width);
  a(1, 2) = shift(scale * (b.y + b.height / 2.0), scale * e.y, scale * e.bottom(), rect.y, rect.height);
  return a;
}

/// Bytes of memory at the peak, measured on selections of 4 to 100 million pixels. The first is per pixel of the
/// rectangle: target and alpha while they are read. The second is per pixel of the view: a reference's planes.
constexpr double kBytesPerPixel = 50, kBytesPerViewPixel = 212;
/// Further bytes: per view pixel for each further geometry (measured 42 to 70) and each texture, and per rectangle
/// pixel for averaging geometries.
constexpr double kBytesPerFurther = 72, kBytesPerTexture = 24, kBytesToAverage = 36;

/// Throws Error (system) if the free memory cannot hold the rectangle. Called before anything is allocated.
void require_memory(const Rect& rect, cv::Size view, std::size_t geometries, std::size_t textures) {
  const double further = static_cast<double>(geometries) - 1;
  const double per_pixel = kBytesPerPixel + (further > 0 ? kBytesToAverage : 0);
  const double per_view_pixel =
      kBytesPerViewPixel + kBytesPerFurther * further + kBytesPerTexture * static_cast<double>(textures);
  const double needed = per_pixel * rect.width * rect.height + per_view_pixel * view.area();
  const std::uint64_t free = free_memory();
  if (needed > static_cast<double>(free))
    throw error(Error::Kind::system,
                _("An area of {0} x {1} pixels needs {2} GB of memory, {3} GB are free: choose a smaller selection, or scale the "
                  "image down."),
                rect.width, rect.height, gigabytes(static_cast<std::uint64_t>(needed)), gigabytes(free));
}

/// Returns true if part of the mask lies on visible pixels of the target.
bool reaches_target(const WorkingImages& images) {
  if (images.target_alpha.empty()) return true;
  cv::Mat there;
  cv::resize(images.target_alpha, there, images.view, 0, 0, cv::INTER_AREA);
  return cv::countNonZero((images.mask > 0) & (there > 0)) > 0;
}

/// Returns true if a model runs. Only its attention reads unplaced references and textures.
bool uses_model(const Request& request) { return request.correction > 0; }

bool contains(const Rect& outer, const Rect& inner) { return intersect(outer, inner) == inner; }

WorkingImages::Geometry read_geometry(const Placed& p, const Rect& rect, cv::Size view, const Request& request) {
  WorkingImages::Geometry g;
  g.cache = cache_of(*p.reference);
  g.weight = p.reference->weight;
  g.pixels_per_canvas = double(view.width) / rect.width;
  const Pixels pixels = sample_colour(*p.reference->colour, p.place, rect, view);
  g.placed = pixels.rgb, g.placed_known = pixels.known;
  g.placed_mask = grown(sample_mask(*p.reference->mask, p.place, rect, view), request.grow * g.pixels_per_canvas);
  if (!pixels.known.empty()) g.placed_mask = g.placed_mask.mul(pixels.known);
  g.place = p.place;
  g.placed_scale = scale_of(p.place);
  if (request.colour == Colour::shading)
    g.patch = patch_of({p.reference, p.shape}, std::min(1.0, g.pixels_per_canvas * g.placed_scale));
  if (!uses_model(request) || !request.output_reads.has(Stream::source)) return g;
  if (p.place == kIdentity && contains(p.reference->colour->extent(), rect))
    g.source = g.placed;
  else
    g.source = sample_colour(*p.reference->colour, unplaced_map(p, rect), rect, view).rgb;
  return g;
}

WorkingImages::Texture read_texture(const MeasuredReference& texture, const Rect& rect, cv::Size view) {
  const Reference& reference = *texture.reference;
  const Affine unplaced = unplaced_map({&reference, texture.shape, affine_of(reference.placement, texture.shape.centroid)}, rect);
  WorkingImages::Texture t;
  t.weight = reference.weight;
  t.pixels = sample_colour(*reference.colour, unplaced, rect, view).rgb;
  return t;
}

}  // namespace

WorkingImages read_working_images(const Scene& scene, const Request& request, int native_side, int granularity) {
  check_target(scene);
  const Rect extent = scene.target->extent();
  const std::vector<Placed> geometries = placed(scene, request);
  cv::Rect2d all;
  for (const Placed& p : geometries) {
    const cv::Rect2d box = bounds_of(p.shape, p.place);
    all = all.empty() ? box : (all | box);
  }
  const Rect covered = whole(all), visible = intersect(covered, extent);
  if (visible.empty())
    throw error(Error::Kind::input,
                _("The geometry would lie at {0}, {1} to {2}, {3}, outside the target layer ({4}, {5} to {6}, {7}): change the "
                  "shift, or move the layers over each other."),
                covered.x, covered.y, covered.right(), covered.bottom(), extent.x, extent.y, extent.right(), extent.bottom());

  WorkingImages images;
  images.area = working_area(to_rect2d(visible), extent, request, native_side, granularity);
  const Rect& rect = images.area.rect;
  images.view = view_size(rect);
  std::vector<MeasuredReference> textures = textures_of(scene);
  if (!uses_model(request)) textures.clear();
  require_memory(rect, images.view, geometries.size(), textures.size());
  Pixels target = sample_colour(*scene.target, kIdentity, rect, {rect.width, rect.height});
  images.target = target.rgb, images.target_alpha = target.known;
  for (const Placed& p : geometries) {
    images.geometries.push_back(read_geometry(p, rect, images.view, request));
    const cv::Mat& mask = images.geometries.back().placed_mask;
    images.mask = images.mask.empty() ? mask.clone() : cv::Mat(cv::max(images.mask, mask));
  }
  for (const MeasuredReference& texture : textures) images.textures.push_back(read_texture(texture, rect, images.view));
  images.area.mask_share = cv::mean(images.mask)[0];
  if (images.area.mask_share <= 0)
    throw error(Error::Kind::input,
                _("The selection is empty on the target (rectangle {0} x {1} at {2}, {3}; Grow selection: {4} pixels): change "
                  "the shift, raise Grow selection, or choose a reference that is not transparent there."),
                rect.width, rect.height, rect.x, rect.y, request.grow);
  if (!reaches_target(images))
    throw error(
        Error::Kind::input,
        _("The target layer is transparent where the geometry would lie ({0} x {1} pixels at {2}, {3}): change the shift, or "
          "choose a layer that has pixels there."),
        visible.width, visible.height, visible.x, visible.y);
  return images;
}

}  // namespace geometry_transfer
