// SPDX-License-Identifier: GPL-3.0-or-later
#include "models_box.h"

#include "geometry-transfer/models.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {
constexpr char kPaths[] = "geometry-transfer-paths";  // GPtrArray of char*, as long as the list

GPtrArray* paths(GtkWidget* box) { return static_cast<GPtrArray*>(g_object_get_data(G_OBJECT(box), kPaths)); }

void append(GtkWidget* box, const std::string& label, const std::string& path) {
  g_ptr_array_add(paths(box), g_strdup(path.c_str()));
  gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(box), label.c_str());
}
}  // namespace

GtkWidget* models_box() {
  GtkWidget* box = gtk_combo_box_text_new();
  g_object_set_data_full(G_OBJECT(box), kPaths, g_ptr_array_new_with_free_func(g_free),
                         reinterpret_cast<GDestroyNotify>(g_ptr_array_unref));
  append(box, _("surface (comes with Geometry Transfer)"), "");
  const std::string shipped = shipped_model().path;
  for (const ModelInfo& model : list_models())
    if (model.problem.empty() && model.path != shipped)
      append(box, sentence(_("{0} ({1})"), model.name, model.family), model.path);
  return box;
}

std::string models_box_path(GtkWidget* box) {
  const int active = gtk_combo_box_get_active(GTK_COMBO_BOX(box));
  return active < 0 ? "" : static_cast<const char*>(g_ptr_array_index(paths(box), active));
}

void models_box_select(GtkWidget* box, const std::string& path) {
  for (guint i = 0; i < paths(box)->len; ++i)
    if (path == static_cast<const char*>(g_ptr_array_index(paths(box), i)))
      return gtk_combo_box_set_active(GTK_COMBO_BOX(box), static_cast<int>(i));
  append(box, path, path);
  gtk_combo_box_set_active(GTK_COMBO_BOX(box), static_cast<int>(paths(box)->len) - 1);
}

}  // namespace geometry_transfer
