// SPDX-License-Identifier: GPL-3.0-or-later
/// The few things that GTK 2 (GIMP 2.10) and GTK 3 (GIMP 3) call by different names. The only place with a version
/// test.
#pragma once

#include <gtk/gtk.h>

namespace geometry_transfer::gtk {

inline GtkWidget* hbox(int spacing) {
#if GTK_MAJOR_VERSION >= 3
  return gtk_box_new(GTK_ORIENTATION_HORIZONTAL, spacing);
#else
  return gtk_hbox_new(FALSE, spacing);
#endif
}

inline GtkWidget* vbox(int spacing) {
#if GTK_MAJOR_VERSION >= 3
  return gtk_box_new(GTK_ORIENTATION_VERTICAL, spacing);
#else
  return gtk_vbox_new(FALSE, spacing);
#endif
}

inline GtkWidget* slider(GtkAdjustment* adjustment) {
#if GTK_MAJOR_VERSION >= 3
  return gtk_scale_new(GTK_ORIENTATION_HORIZONTAL, adjustment);
#else
  return gtk_hscale_new(adjustment);
#endif
}

/// Rows of a label and what it names. The labels of all tables with the same `labels` are as wide as the widest of
/// them.
inline GtkWidget* table(GtkSizeGroup* labels) {
#if GTK_MAJOR_VERSION >= 3
  GtkWidget* grid = gtk_grid_new();
  gtk_grid_set_row_spacing(GTK_GRID(grid), 6);
  gtk_grid_set_column_spacing(GTK_GRID(grid), 6);
#else
  GtkWidget* grid = gtk_table_new(1, 2, FALSE);
  gtk_table_set_row_spacings(GTK_TABLE(grid), 6);
  gtk_table_set_col_spacings(GTK_TABLE(grid), 6);
#endif
  g_object_set_data_full(G_OBJECT(grid), "labels", g_object_ref(labels), g_object_unref);
  return grid;
}

/// Aligns a label's text to the left.
inline void align_left(GtkWidget* label) {
#if GTK_MAJOR_VERSION >= 3
  gtk_label_set_xalign(GTK_LABEL(label), 0);
#else
  gtk_misc_set_alignment(GTK_MISC(label), 0, 0.5);
#endif
}

/// `label` is a label, or an event box with one in it. It may be null: `widget` then takes both columns.
inline void attach_row(GtkWidget* table, int row, GtkWidget* label, GtkWidget* widget) {
  if (label) gtk_size_group_add_widget(GTK_SIZE_GROUP(g_object_get_data(G_OBJECT(table), "labels")), label);
#if GTK_MAJOR_VERSION >= 3
  if (GTK_IS_LABEL(label)) align_left(label);
  if (label) gtk_grid_attach(GTK_GRID(table), label, 0, row, 1, 1);
  gtk_widget_set_hexpand(widget, TRUE);
  gtk_grid_attach(GTK_GRID(table), widget, label ? 1 : 0, row, label ? 1 : 2, 1);
#else
  const auto fill = static_cast<GtkAttachOptions>(GTK_FILL | GTK_EXPAND);
  if (GTK_IS_LABEL(label)) align_left(label);
  if (label) gtk_table_attach(GTK_TABLE(table), label, 0, 1, row, row + 1, GTK_FILL, GTK_SHRINK, 0, 0);
  gtk_table_attach(GTK_TABLE(table), widget, label ? 1 : 0, 2, row, row + 1, fill, GTK_SHRINK, 0, 0);
#endif
}

inline void add_scrolled(GtkWidget* scroller, GtkWidget* child) {
#if GTK_MAJOR_VERSION >= 3
  gtk_container_add(GTK_CONTAINER(scroller), child);
#else
  gtk_scrolled_window_add_with_viewport(GTK_SCROLLED_WINDOW(scroller), child);
  gtk_viewport_set_shadow_type(GTK_VIEWPORT(gtk_bin_get_child(GTK_BIN(scroller))), GTK_SHADOW_NONE);
#endif
}

/// Limits a cell's natural width in characters. GTK 2 needs no limit, because it uses "width-chars".
inline void limit_letters(GtkCellRenderer* cell, int letters) {
#if GTK_MAJOR_VERSION >= 3
  g_object_set(cell, "max-width-chars", letters, nullptr);
#else
  (void)cell, (void)letters;
#endif
}

inline GtkRequisition natural_size(GtkWidget* widget) {
  GtkRequisition size;
#if GTK_MAJOR_VERSION >= 3
  gtk_widget_get_preferred_size(widget, nullptr, &size);
#else
  gtk_widget_size_request(widget, &size);
#endif
  return size;
}

/// Returns the smallest width and the smallest height of all monitors, widget pixels. GTK 2 gives the size of the whole
/// screen.
inline GtkRequisition screen_size(GtkWidget* widget) {
#if GTK_MAJOR_VERSION >= 3
  GdkDisplay* display = gtk_widget_get_display(widget);
  GtkRequisition size = {1 << 30, 1 << 30};
  for (int i = 0; i < gdk_display_get_n_monitors(display); ++i) {
    GdkRectangle area;
    gdk_monitor_get_workarea(gdk_display_get_monitor(display, i), &area);
    if (area.width < size.width) size.width = area.width;
    if (area.height < size.height) size.height = area.height;
  }
  return size;
#else
  GdkScreen* screen = gtk_widget_get_screen(widget);
  return {gdk_screen_get_width(screen), gdk_screen_get_height(screen)};
#endif
}

/// Returns the monitor that shows the window; with GTK 3 without panels.
inline GdkRectangle monitor_of(GtkWidget* window) {
  GdkRectangle area;
#if GTK_MAJOR_VERSION >= 3
  GdkMonitor* monitor = gdk_display_get_monitor_at_window(gtk_widget_get_display(window), gtk_widget_get_window(window));
  gdk_monitor_get_workarea(monitor, &area);
#else
  GdkScreen* screen = gtk_widget_get_screen(window);
  gdk_screen_get_monitor_geometry(screen, gdk_screen_get_monitor_at_window(screen, gtk_widget_get_window(window)), &area);
#endif
  return area;
}

/// Makes the wheel scroll the surrounding window. It then does not change the value of `widget` or of a widget inside
/// it.
inline void ignore_wheel(GtkWidget* widget) {
  constexpr char kDone[] = "geometry-transfer-ignores-wheel";
  const bool has_value = GTK_IS_SPIN_BUTTON(widget) || GTK_IS_COMBO_BOX(widget) || GTK_IS_RANGE(widget);
  if (has_value && !g_object_get_data(G_OBJECT(widget), kDone)) {
    g_object_set_data(G_OBJECT(widget), kDone, widget);
    g_signal_connect(widget, "scroll-event", G_CALLBACK(+[](GtkWidget* w, GdkEvent*, gpointer) -> gboolean {
                       g_signal_stop_emission_by_name(w, "scroll-event");  // its own handler is not called
                       return FALSE;                                       // and its parent gets the event
                     }),
                     nullptr);
  }
  if (GTK_IS_CONTAINER(widget))
    gtk_container_forall(
        GTK_CONTAINER(widget), [](GtkWidget* child, gpointer) { ignore_wheel(child); }, nullptr);
}

inline void unref_cursor(GdkCursor* cursor) {
#if GTK_MAJOR_VERSION >= 3
  g_object_unref(cursor);
#else
  gdk_cursor_unref(cursor);
#endif
}

/// Returns device pixels per widget pixel: 2 at 200 % scaling; always 1 with GTK 2.
inline int pixel_ratio(GtkWidget* widget) {
#if GTK_MAJOR_VERSION >= 3
  return gtk_widget_get_scale_factor(widget);
#else
  (void)widget;
  return 1;
#endif
}

/// Calls `(owner->*draw)(cairo)` whenever the drawing area has to be painted.
template <class Owner, void (Owner::*draw)(cairo_t*)>
void on_draw(GtkWidget* area, Owner* owner) {
#if GTK_MAJOR_VERSION >= 3
  const auto painted = +[](GtkWidget*, cairo_t* cairo, gpointer o) -> gboolean {
    (static_cast<Owner*>(o)->*draw)(cairo);
    return TRUE;
  };
  g_signal_connect(area, "draw", G_CALLBACK(painted), owner);
#else
  const auto painted = +[](GtkWidget* widget, GdkEventExpose*, gpointer o) -> gboolean {
    cairo_t* cairo = gdk_cairo_create(gtk_widget_get_window(widget));
    (static_cast<Owner*>(o)->*draw)(cairo);
    cairo_destroy(cairo);
    return TRUE;
  };
  g_signal_connect(area, "expose-event", G_CALLBACK(painted), owner);
#endif
}

}  // namespace geometry_transfer::gtk
