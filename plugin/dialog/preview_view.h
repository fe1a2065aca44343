// SPDX-License-Identifier: GPL-3.0-or-later
/// One view of the preview: the part of the canvas that it shows, where things lie in the widget, and what is drawn
/// there.
#pragma once

#include <cairo.h>

#include <memory>

#include "dialog/outline.h"
#include "scene_from_layers.h"

namespace geometry_transfer {

/// Parts of the preview that the pointer can drag.
enum class Grip { none, move, turn, scale, split };

class PreviewView {
 public:
  /// Reads the layers.
  /// `area`         the part of the target to show, in canvas pixels; empty: the surroundings of the placed geometry
  /// `place`        the widget's size
  /// `pixel_ratio`  device pixels per widget pixel
  /// `caches`       caches of the references, one each, for the next view; missing ones are added
  /// Throws Error as ImagePart::preview does.
  using KeptReferences = std::vector<std::unique_ptr<KeptReference>>;
  PreviewView(std::unique_ptr<SceneFromLayers> layers, const Placement& placement, const Rect& area, Size place,
              double pixel_ratio, KeptReferences& caches);

  /// Draws the edit for this request. If it throws Error, rendered() is false until the next call succeeds.
  void render(const Request& request);
  bool rendered() const { return edited_ != nullptr; }
  /// Returns what the last render() decided for the first geometry.
  const GeometryDecisions& decided() const { return preview_->decided(); }

  const Rect& area() const { return area_; }
  Rect target() const { return layers_->scene().target->extent(); }
  double scale() const { return width_ / area_.width; }  ///< widget pixels per canvas pixel
  /// A point of the widget on the canvas.
  double canvas_x(double x) const { return area_.x + (x - left_) / scale(); }
  double canvas_y(double y) const { return area_.y + (y - top_) / scale(); }
  /// The middle of the geometry, before the placement, on the canvas.
  double geometry_x() const { return layers_->centre_x(); }
  double geometry_y() const { return layers_->centre_y(); }
  /// The middle of the placed geometry, in the widget.
  double centre_x(const Placement& p) const { return left_ + (layers_->centre_x() + p.shift_x - area_.x) * scale(); }
  double centre_y(const Placement& p) const { return top_ + (layers_->centre_y() + p.shift_y - area_.y) * scale(); }
  /// Returns true if the placed geometry's middle is on the target but outside the view.
  bool lost(const Placement& p) const;
  /// `split`: place of the compare line, [0, 1] of the width; below 0: no line. Never returns Grip::none.
  Grip grip_at(double x, double y, const Placement& p, double split) const;

  /// `handles`: the outline and its handles are shown, too.
  void paint(cairo_t* cairo, Size widget, const Placement& p, double split, bool handles);

 private:
  /// The target, with its extent limited to an area.
  class Part : public Raster {
   public:
    Part(const Raster& whole, const Rect& area) : whole_(whole), area_(area) {}
    int channels() const override { return whole_.channels(); }
    Rect extent() const override { return area_; }
    void read(const Rect& area, Size size, float* out) const override { whole_.read(area, size, out); }

   private:
    const Raster& whole_;
    Rect area_;
  };
  using Surface = std::unique_ptr<cairo_surface_t, void (*)(cairo_surface_t*)>;
  static Surface surface_of(const Preview::View& view);
  void to_widget(cairo_t* cairo, const Placement& p) const;
  void corner(int number, const Placement& p, double& x, double& y) const;
  void paint_picture(cairo_t* cairo, cairo_surface_t* surface, double from, double to) const;

  std::unique_ptr<SceneFromLayers> layers_;
  std::unique_ptr<Part> part_;
  Scene scene_;
  std::unique_ptr<Preview> preview_;
  Surface edited_{nullptr, cairo_surface_destroy}, bare_{nullptr, cairo_surface_destroy};
  std::vector<Outline> outlines_;
  Rect area_;                                           // of the canvas
  Rect box_;                                            // of the geometry before the placement
  double left_ = 0, top_ = 0, width_ = 1, height_ = 1;  // of the picture in the widget
};

}  // namespace geometry_transfer
