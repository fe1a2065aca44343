// SPDX-License-Identifier: GPL-3.0-or-later
/// The live preview: the edit over the target. The geometry is moved, scaled and turned in it by hand.
#pragma once

#include <gtk/gtk.h>

#include <functional>
#include <memory>
#include <string>

#include "dialog/preview_view.h"
#include "run.h"

namespace geometry_transfer {

class PreviewPane {
 public:
  struct Events {
    std::function<void()> moved;                             ///< the user changed request.placement by hand
    std::function<void(const GeometryDecisions&)> rendered;  ///< the edit was drawn; gets what it decided
  };
  PreviewPane(Request& request, Events events);
  ~PreviewPane();
  PreviewPane(const PreviewPane&) = delete;

  GtkWidget* widget() const { return box_; }
  /// Returns the least width of the preview in widget pixels: 160, or that of the zoom buttons below it.
  int least_width() const;
  /// Sets the preview's least size in widget pixels, for small screens: least_width() x 160 to 440 x 440.
  void fit(int width, int height);
  /// Shows the call's layers and selection. They are read at the next drawing; an error appears in place of the
  /// picture.
  void show(const Call& call);
  /// Renders the changed request when GTK is idle.
  void redraw();
  void paint(cairo_t* cairo);

 private:
  GtkWidget* zoom_buttons();
  void read(const Call& call);
  void press(const GdkEventButton& event);
  void motion(double x, double y);
  void release();
  void scroll(bool up, unsigned modifiers);
  gboolean key(const GdkEventKey& event);
  void show_area(double middle_x, double middle_y, double canvas_width);
  void zoom(double factor, double x, double y);
  void zoom_middle(double factor);
  void show_all();
  void show_pixels();
  void follow();
  void set_cursor(Grip grip);
  void render();
  void resized();
  void changed();
  double split() const;
  Size widget_size() const;

  static constexpr int kLeast = 160;  // widget pixels: least side of the preview

  Request& request_;
  Events events_;
  GtkWidget *box_, *area_, *buttons_, *compare_, *hint_, *warning_;
  PreviewView::KeptReferences kept_;   // layers of the references, for the next view
  std::unique_ptr<PreviewView> view_;  // null while there is nothing to show
  std::function<void()> read_;         // pending read, done before the next drawing; empty if none
  std::function<void()> again_;        // repeats the last read, after zoom or resize
  Rect wanted_;                        // zoomed part of the target, canvas pixels; empty: follow the geometry
  Size view_size_;                     // widget pixels for which the view was made
  std::string problem_;
  unsigned pending_ = 0, settling_ = 0;  // GLib source ids, 0: none
  Grip grip_ = Grip::none;
  bool panning_ = false, inside_ = false;  // inside_: the pointer is over the picture
  double grip_x_ = 0, grip_y_ = 0;         // where the drag began, widget pixels
  Placement grip_placement_;
  Rect grip_area_;
  double split_ = 0.5;  // share of the view that shows the bare target while comparing
};

}  // namespace geometry_transfer
