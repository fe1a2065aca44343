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
  /// `moved`: called after the user changed request.placement by hand.
  PreviewPane(Request& request, std::function<void()> moved);
  ~PreviewPane();
  PreviewPane(const PreviewPane&) = delete;

  GtkWidget* widget() const { return box_; }
  /// Width in widget pixels that the picture's place needs: the row of zoom buttons is below it.
  int least_width() const;
  /// Sets the least size of the picture's place, for small screens; never more than the usual least size.
  void fit(int width, int height);
  /// Shows other references or another selection: reads the layers anew. An error is written where the picture would be.
  void show(const Call& call);
  /// Draws at the next idle moment, for a changed request.
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
  Size place() const;

  static constexpr int kLeast = 160;  // least side of the picture's place, widget pixels

  Request& request_;
  std::function<void()> moved_;
  GtkWidget *box_, *area_, *buttons_, *compare_, *hint_;
  PreviewView::KeptReferences kept_;   // layers of the references, for the next view
  std::unique_ptr<PreviewView> view_;  // null while there is nothing to show
  std::function<void()> read_;         // reads the layers, if they have to be read before the next drawing
  std::function<void()> again_;        // reads the layers that are shown
  Rect wanted_;                        // the part of the target that the user has zoomed to; empty: round the geometry
  Size made_for_;                      // the size of the place that the view was made for
  std::string problem_;
  unsigned pending_ = 0, settling_ = 0;  // sources
  Grip grip_ = Grip::none;
  bool panning_ = false, inside_ = false;  // inside_: the pointer is over the picture
  double grip_x_ = 0, grip_y_ = 0;         // where the drag began, widget pixels
  Placement grip_placement_;
  Rect grip_area_;
  double split_ = 0.5;  // share of the view that shows the bare target while comparing
};

}  // namespace geometry_transfer
