// SPDX-License-Identifier: GPL-3.0-or-later
/// Names both sides of a call: From (the reference, with the outline of its geometry) and Onto (the target).
#pragma once

#include <gtk/gtk.h>

#include <functional>

#include "dialog/outline.h"
#include "run.h"

namespace geometry_transfer {

class SidesBox {
 public:
  struct Events {
    std::function<void()> source_chosen;  ///< call.source was changed in the list
    std::function<void()> sides_changed;  ///< image, target or layers changed; make a new dialog
  };
  SidesBox(Call& call, Events events);
  SidesBox(const SidesBox&) = delete;

  GtkWidget* widget() const { return box_; }
  /// The list of reference layers, for the keyboard's focus.
  GtkWidget* chooser() const { return chooser_; }
  /// Draws both pictures anew, for another reference or another selection.
  void show_pictures();
  /// Lets the user open a file and takes it as the reference.
  void open_file();

 private:
  struct Picture {
    GtkWidget* area = nullptr;
    GdkPixbuf* pixels = nullptr;
    Rect extent;  // of the layer, on the target's canvas
    Outline outline;
  };
  GtkWidget* picture_area(Picture& picture);
  void take_clipboard();
  void take_image(host::Id image, bool all);
  void swap();
  void set_picture(Picture& picture, host::Id layer);
  static void paint(const Picture& picture, cairo_t* cairo);
  void paint_from(cairo_t* cairo) { paint(from_, cairo); }
  void paint_onto(cairo_t* cairo) { paint(onto_, cairo); }

  Call& call_;
  Events events_;
  GtkWidget *box_, *chooser_ = nullptr;
  Picture from_, onto_;
};

}  // namespace geometry_transfer
