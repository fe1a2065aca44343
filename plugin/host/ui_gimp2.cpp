// SPDX-License-Identifier: GPL-3.0-or-later
/// GIMP 2.10: host_ui.h.
#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include <algorithm>

#include "host/host_ui.h"
#include "procedure.h"

namespace geometry_transfer::host {
namespace {

struct Chooser {
  Id target;
  std::function<void(Id)> chosen;
};

gboolean selectable(gint32, gint32 item, gpointer chooser) { return item != static_cast<Chooser*>(chooser)->target; }

void changed(GtkWidget* box, gpointer chooser) {
  gint value = kNone;
  if (!gimp_int_combo_box_get_active(GIMP_INT_COMBO_BOX(box), &value)) value = kNone;
  static_cast<Chooser*>(chooser)->chosen(value);
}

}  // namespace

void ui_start() { gimp_ui_init(kBinary, FALSE); }

GtkWidget* layer_chooser(Id target, Id selected, std::function<void(Id)> chosen) {
  auto* state = new Chooser{target, std::move(chosen)};
  GtkWidget* box = gimp_layer_combo_box_new(selectable, state);
  g_object_set_data_full(G_OBJECT(box), "geometry-transfer-chooser", state, [](gpointer p) { delete static_cast<Chooser*>(p); });
  // GIMP chooses the first layer by itself, which may be a result.
  if (!gimp_int_combo_box_set_active(GIMP_INT_COMBO_BOX(box), selected)) gtk_combo_box_set_active(GTK_COMBO_BOX(box), -1);
  g_signal_connect(box, "changed", G_CALLBACK(changed), state);
  changed(box, state);
  return box;
}

GdkPixbuf* thumbnail(Id layer, int size) {
  const double shrink = double(size) / std::max({1, gimp_drawable_width(layer), gimp_drawable_height(layer)});
  return gimp_drawable_get_thumbnail(layer, std::max(1, static_cast<int>(gimp_drawable_width(layer) * shrink)),
                                     std::max(1, static_cast<int>(gimp_drawable_height(layer) * shrink)),
                                     GIMP_PIXBUF_SMALL_CHECKS);
}

}  // namespace geometry_transfer::host
