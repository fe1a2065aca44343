// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialog/preview_view.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace geometry_transfer {
namespace {

/// Pixels of a rendered picture, so that a drag stays smooth. A larger widget enlarges it.
constexpr double kMostPixels = 840. * 760;
constexpr std::uint64_t kKeptBytes = std::uint64_t{48} << 20;  // bytes for one reference's layers at several sizes
constexpr double kHandle = 7;                                  // radius of the turning handle, widget pixels
constexpr double kCorner = 4;                                  // half a side of a scaling handle, widget pixels
constexpr double kArm = 48;                                    // from the middle to the turning handle, widget pixels
constexpr double kPi = 3.14159265358979323846;

Rect united(const Rect& a, const Rect& b) {
  if (a.empty()) return b;
  const int x = std::min(a.x, b.x), y = std::min(a.y, b.y);
  return {x, y, std::max(a.right(), b.right()) - x, std::max(a.bottom(), b.bottom()) - y};
}

}  // namespace

/// R'G'B' bytes as cairo stores them.
PreviewView::Surface PreviewView::surface_of(const Preview::View& view) {
  Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, view.size.width, view.size.height), cairo_surface_destroy);
  unsigned char* data = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  for (int y = 0; y < view.size.height; ++y) {
    auto* row = reinterpret_cast<std::uint32_t*>(data + static_cast<size_t>(y) * stride);
    const unsigned char* in = &view.rgb[static_cast<size_t>(y) * view.size.width * 3];
    for (int x = 0; x < view.size.width; ++x, in += 3) row[x] = (in[0] << 16) | (in[1] << 8) | in[2];
  }
  cairo_surface_mark_dirty(surface.get());
  return surface;
}

PreviewView::PreviewView(std::unique_ptr<SceneFromLayers> layers, const Placement& placement, const Rect& area, Size place,
                         double pixel_ratio, KeptReferences& caches)
    : layers_(std::move(layers)), scene_(layers_->scene()) {
  while (caches.size() < scene_.references.size()) caches.push_back(image_part().keep_reference(kKeptBytes, false));
  for (std::size_t i = 0; i < scene_.references.size(); ++i) scene_.references[i].cache = caches[i].get();
  for (const Reference& r : scene_.references)
    if (r.role == Reference::Role::geometry) {
      box_ = united(box_, r.mask->extent());
      outlines_.emplace_back(*r.mask);
    }
  Placement shown = placement;
  if (!area.empty()) {
    // The preview shows the surroundings of the geometry, inside the target. A huge scale makes it show the whole area.
    part_ = std::make_unique<Part>(*scene_.target, area);
    scene_.target = part_.get();
    shown.scale = std::max(shown.scale, 4. * std::max(area.width, area.height));
  }
  // Picture pixels per widget pixel.
  const double ratio = std::min(pixel_ratio, std::sqrt(kMostPixels / (double(place.width) * place.height)));
  preview_ = image_part().preview(
      scene_, {static_cast<int>(std::lround(place.width * ratio)), static_cast<int>(std::lround(place.height * ratio))}, shown);
  const Preview::View& bare = preview_->target();
  bare_ = surface_of(bare);
  area_ = bare.area;
  width_ = std::min(bare.size.width / ratio, double(place.width));
  height_ = std::min(bare.size.height / ratio, double(place.height));
}

void PreviewView::render(const Request& request) {
  edited_.reset();
  edited_ = surface_of(preview_->render(request));
}

bool PreviewView::lost(const Placement& p) const {
  const double x = layers_->centre_x() + p.shift_x, y = layers_->centre_y() + p.shift_y;
  const auto in = [&](const Rect& a) { return x >= a.x && x < a.right() && y >= a.y && y < a.bottom(); };
  return in(target()) && !in(area_);
}

/// From the canvas before the placement to the widget.
void PreviewView::to_widget(cairo_t* cairo, const Placement& p) const {
  cairo_translate(cairo, centre_x(p), centre_y(p));
  cairo_scale(cairo, scale(), scale());
  cairo_rotate(cairo, -p.rotation * kPi / 180);
  cairo_scale(cairo, p.scale * p.stretch * (p.flip ? -1 : 1), p.scale);
  cairo_translate(cairo, -layers_->centre_x(), -layers_->centre_y());
}

/// A corner of the geometry's box, 0 to 3, in the widget.
void PreviewView::corner(int number, const Placement& p, double& x, double& y) const {
  const double across = ((number & 1 ? box_.right() : box_.x) - layers_->centre_x()) * p.scale * p.stretch * (p.flip ? -1 : 1);
  const double down = ((number & 2 ? box_.bottom() : box_.y) - layers_->centre_y()) * p.scale;
  const double c = std::cos(p.rotation * kPi / 180), s = std::sin(p.rotation * kPi / 180);
  x = centre_x(p) + (c * across + s * down) * scale();
  y = centre_y(p) + (c * down - s * across) * scale();
}

Grip PreviewView::grip_at(double x, double y, const Placement& p, double split) const {
  const double hx = centre_x(p) - kArm * std::sin(p.rotation * kPi / 180);
  const double hy = centre_y(p) - kArm * std::cos(p.rotation * kPi / 180);
  if (std::hypot(x - hx, y - hy) < kHandle + 4) return Grip::turn;
  if (split >= 0 && std::abs(x - (left_ + split * width_)) < 6) return Grip::split;
  for (int i = 0; i < 4; ++i) {
    double cx, cy;
    corner(i, p, cx, cy);
    if (std::max(std::abs(x - cx), std::abs(y - cy)) < kCorner + 4) return Grip::scale;
  }
  return Grip::move;
}

void PreviewView::paint_picture(cairo_t* cairo, cairo_surface_t* surface, double from, double to) const {
  cairo_save(cairo);
  cairo_rectangle(cairo, left_ + from * width_, top_, (to - from) * width_, height_);
  cairo_clip(cairo);
  cairo_translate(cairo, left_, top_);
  const double shrink = width_ / cairo_image_surface_get_width(surface);
  cairo_scale(cairo, shrink, shrink);
  cairo_set_source_surface(cairo, surface, 0, 0);
  cairo_paint(cairo);
  cairo_restore(cairo);
}

void PreviewView::paint(cairo_t* cairo, Size widget, const Placement& p, double split, bool handles) {
  left_ = std::floor((widget.width - width_) / 2);
  top_ = std::floor((widget.height - height_) / 2);
  paint_picture(cairo, edited_.get(), std::max(split, 0.), 1);
  if (split >= 0) paint_picture(cairo, bare_.get(), 0, split);

  cairo_rectangle(cairo, left_, top_, width_, height_);
  cairo_clip(cairo);
  if (split >= 0) {
    cairo_move_to(cairo, left_ + split * width_, top_);
    cairo_rel_line_to(cairo, 0, height_);
    stroke_visibly(cairo);
  }
  if (handles) {
    cairo_save(cairo);
    to_widget(cairo, p);
    for (const Outline& outline : outlines_) outline.add_to_path(cairo);
    cairo_restore(cairo);  // the path stays; lines are as wide as elsewhere
    stroke_visibly(cairo);
    for (int i = 0; i < 4; ++i) {
      double x, y;
      corner(i, p, x, y);
      cairo_rectangle(cairo, x - kCorner, y - kCorner, 2 * kCorner, 2 * kCorner);
    }
    stroke_visibly(cairo);
  }
  const double x = centre_x(p), y = centre_y(p);
  cairo_move_to(cairo, x - 5, y);
  cairo_line_to(cairo, x + 5, y);
  cairo_move_to(cairo, x, y - 5);
  cairo_line_to(cairo, x, y + 5);
  stroke_visibly(cairo);
  cairo_arc(cairo, x - kArm * std::sin(p.rotation * kPi / 180), y - kArm * std::cos(p.rotation * kPi / 180), kHandle, 0, 2 * kPi);
  stroke_visibly(cairo);
}

}  // namespace geometry_transfer
