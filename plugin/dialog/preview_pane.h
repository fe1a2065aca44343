// SPDX-License-Identifier: GPL-3.0-or-later
/// The live preview: the edit over the target, moved, scaled and turned by hand.
#pragma once

#include <gtk/gtk.h>

#include <functional>
#include <memory>
#include <string>

#include "run.h"

namespace geometry_transfer {

class PreviewPane {
 public:
  /// `moved`: the user changed request.placement by hand.
  PreviewPane(Request& request, std::function<void()> moved);
  ~PreviewPane();
  PreviewPane(const PreviewPane&) = delete;

  GtkWidget* widget() const { return box_; }
  static constexpr int kLeast = 160;  // a side of the picture's place
  /// The picture's place has at least this size, if that is less than usual: on small screens.
  void fit(int width, int height);
  /// Other references: reads the layers anew. What is wrong with them is written where the picture would be.
  void show(const Call& call);
  /// The request changed: draws at the next idle moment.
  void redraw();
  void paint(cairo_t* cairo);

 private:
  struct View;
  void read(const Call& call);
  void press(double x, double y);
  void drag(double x, double y);
  void release();
  void scroll(bool up, unsigned modifiers);
  void render();
  void resized();
  void changed();

  Request& request_;
  std::function<void()> moved_;
  GtkWidget *box_, *area_, *compare_, *hint_;
  std::unique_ptr<View> view_;   // null while there is nothing to show
  std::function<void()> read_;   // what is still to be read
  std::function<void()> again_;  // what was read
  Size made_for_;                // the place that the view was made for
  std::string problem_;
  unsigned pending_ = 0, settling_ = 0;  // sources
  enum class Grip { none, move, turn, split } grip_ = Grip::none;
  double grip_x_ = 0, grip_y_ = 0;  // where the drag began, widget pixels
  Placement grip_placement_;
  double split_ = 0.5;  // share of the view that shows the bare target while comparing
};

}  // namespace geometry_transfer
