// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialog/models_box.h"

#include "dialog/gtk_compat.h"
#include "geometry-transfer/models.h"
#include "geometry-transfer/request.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

constexpr int kLetters = 40;       // of a model's name that are shown
constexpr int kReasonWidth = 280;  // widget pixels; a longer reason wraps

enum Column { kMarkup, kPath, kPlace, kUsable, kWrap, kEllipsize, kColumns };

GtkListStore* rows(GtkWidget* box) { return GTK_LIST_STORE(gtk_combo_box_get_model(GTK_COMBO_BOX(box))); }

/// Converts a path to UTF-8 for widgets, because a path may hold any bytes.
std::string shown(const std::string& path) {
  char* display = g_filename_display_name(path.c_str());
  const std::string result = display;
  g_free(display);
  return result;
}

std::string escaped(const std::string& text) {
  char* escaped = g_markup_escape_text(text.c_str(), -1);
  const std::string result = escaped;
  g_free(escaped);
  return result;
}

/// `below`: a second, small line. `path`: what the request gets; `place`: where the model lies.
void append(GtkWidget* box, const std::string& label, const std::string& below, const std::string& path, const std::string& place,
            bool usable = true) {
  const std::string markup = escaped(shown(label)) + (below.empty() ? "" : "\n<small>" + escaped(shown(below)) + "</small>");
  gtk_list_store_insert_with_values(rows(box), nullptr, -1, kMarkup, markup.c_str(), kPath, path.c_str(), kPlace,
                                    shown(place).c_str(), kUsable, static_cast<gboolean>(usable), kWrap,
                                    usable ? -1 : kReasonWidth, kEllipsize,
                                    usable ? PANGO_ELLIPSIZE_MIDDLE : PANGO_ELLIPSIZE_NONE, -1);
}

std::string text_at(GtkWidget* box, GtkTreeIter& row, Column column) {
  char* text = nullptr;
  gtk_tree_model_get(GTK_TREE_MODEL(rows(box)), &row, column, &text, -1);
  const std::string result = text ? text : "";
  g_free(text);
  return result;
}

void show_place(GtkWidget* box) {
  GtkTreeIter row;
  std::string tip = translate(find_parameter("model")->blurb);
  if (gtk_combo_box_get_active_iter(GTK_COMBO_BOX(box), &row)) {
    const std::string place = text_at(box, row, kPlace);
    if (!place.empty()) tip += "\n\n" + place;
  }
  gtk_widget_set_tooltip_text(box, tip.c_str());
}

std::string gigabytes(std::uint64_t bytes) { return fmt::format("{:.1f}", static_cast<double>(bytes) / 1e9); }

}  // namespace

GtkWidget* models_box() {
  GtkListStore* store =
      gtk_list_store_new(kColumns, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_BOOLEAN, G_TYPE_INT, G_TYPE_INT);
  GtkWidget* box = gtk_combo_box_new_with_model(GTK_TREE_MODEL(store));
  g_object_unref(store);
  GtkCellRenderer* cell = gtk_cell_renderer_text_new();
  g_object_set(cell, "wrap-mode", PANGO_WRAP_WORD_CHAR, "width-chars", kLetters, nullptr);
  gtk::limit_letters(cell, kLetters);
  gtk_cell_layout_pack_start(GTK_CELL_LAYOUT(box), cell, TRUE);
  gtk_cell_layout_set_attributes(GTK_CELL_LAYOUT(box), cell, "markup", kMarkup, "sensitive", kUsable, "wrap-width", kWrap,
                                 "ellipsize", kEllipsize, nullptr);
  g_signal_connect(box, "changed", G_CALLBACK(+[](GtkWidget* changed, gpointer) { show_place(changed); }), nullptr);

  const ModelInfo shipped = shipped_model();
  if (shipped.path.empty())
    append(box, _("surface (not installed)"), "", "", shipped.problem);
  else
    append(box, _("surface (comes with Geometry Transfer)"), "", "", shipped.path);
  // GTK 2 would make the box as high as its highest row.
  gtk_widget_set_size_request(box, -1, gtk::natural_size(box).height);
  for (const ModelInfo& model : list_models()) {
    if (model.path == shipped.path) continue;
    if (model.problem.empty())
      append(box, sentence(_("{0} ({1}, {2} GB)"), model.name, model.family, gigabytes(model.bytes)), "", model.path, model.path);
    else
      append(box, model.name, model.problem, model.path, model.path, false);
  }
  return box;
}

std::string models_box_path(GtkWidget* box) {
  GtkTreeIter row;
  return gtk_combo_box_get_active_iter(GTK_COMBO_BOX(box), &row) ? text_at(box, row, kPath) : "";
}

void models_box_select(GtkWidget* box, const std::string& path) {
  GtkTreeModel* model = GTK_TREE_MODEL(rows(box));
  GtkTreeIter row;
  for (gboolean more = gtk_tree_model_get_iter_first(model, &row); more; more = gtk_tree_model_iter_next(model, &row))
    if (text_at(box, row, kPath) == path) return gtk_combo_box_set_active_iter(GTK_COMBO_BOX(box), &row);
  append(box, path, "", path, path);
  gtk_combo_box_set_active(GTK_COMBO_BOX(box), gtk_tree_model_iter_n_children(model, nullptr) - 1);
}

}  // namespace geometry_transfer
