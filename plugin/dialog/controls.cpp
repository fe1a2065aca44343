// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialog/controls.h"

#include <cmath>
#include <set>

#include "dialog/gtk_compat.h"
#include "dialog/models_box.h"
#include "dialog/slider.h"
#include "request/text.h"

namespace geometry_transfer {

struct Controls::Row {
  Controls* owner;
  const Parameter* parameter;
  GtkWidget* widget = nullptr;          // check button, combo box, entry
  GtkWidget* spin = nullptr;            // numbers
  GtkAdjustment* adjustment = nullptr;  // numbers
  std::set<int> greyed;                 // values of a choice that are not offered, by their place
};

Controls::Controls(Request& request, Events events) : request_(request), events_(std::move(events)) {}
Controls::~Controls() = default;

namespace {

constexpr char kDecided[] = "geometry-transfer-decided";  // text that follows "auto" in a spin button, if any

/// Shows values below 0 as "auto", followed by what was decided, and reads such text as kAutomatic.
void show_automatic(GtkWidget* spin) {
  gtk_spin_button_set_numeric(GTK_SPIN_BUTTON(spin), FALSE);
  gtk_entry_set_width_chars(GTK_ENTRY(spin), 11);
  g_signal_connect(spin, "output", G_CALLBACK(+[](GtkSpinButton* box, gpointer) -> gboolean {
                     if (gtk_adjustment_get_value(gtk_spin_button_get_adjustment(box)) >= 0) return FALSE;
                     const auto* decided = static_cast<const char*>(g_object_get_data(G_OBJECT(box), kDecided));
                     gtk_entry_set_text(GTK_ENTRY(box), (std::string(_("auto")) + (decided ? decided : "")).c_str());
                     return TRUE;
                   }),
                   nullptr);
  g_signal_connect(spin, "input", G_CALLBACK(+[](GtkSpinButton* box, gdouble* value, gpointer) -> gint {
                     if (std::string(gtk_entry_get_text(GTK_ENTRY(box))).rfind(_("auto"), 0) != 0) return FALSE;
                     *value = kAutomatic;
                     return TRUE;
                   }),
                   nullptr);
}

/// The rows of the list whose numbers are in `greyed` cannot be chosen.
void grey_by(GtkWidget* list, std::set<int>* greyed) {
  GList* cells = gtk_cell_layout_get_cells(GTK_CELL_LAYOUT(list));
  const auto show = +[](GtkCellLayout*, GtkCellRenderer* cell, GtkTreeModel* model, GtkTreeIter* at, gpointer greyed_rows) {
    GtkTreePath* path = gtk_tree_model_get_path(model, at);
    const bool grey = static_cast<std::set<int>*>(greyed_rows)->count(gtk_tree_path_get_indices(path)[0]) > 0;
    gtk_tree_path_free(path);
    g_object_set(cell, "sensitive", static_cast<gboolean>(!grey), nullptr);
  };
  gtk_cell_layout_set_cell_data_func(GTK_CELL_LAYOUT(list), GTK_CELL_RENDERER(cells->data), show, greyed, nullptr);
  g_list_free(cells);
}

GtkWidget* number_widget(const Parameter& p, GtkAdjustment* adjustment) {
  GtkWidget* spin = gtk_spin_button_new(adjustment, p.step, p.kind == Parameter::Kind::real ? p.digits : 0);
  gtk_spin_button_set_numeric(GTK_SPIN_BUTTON(spin), TRUE);
  gtk_entry_set_width_chars(GTK_ENTRY(spin), 6);
  if (p.kind == Parameter::Kind::real && p.low == kAutomatic) show_automatic(spin);
  return spin;
}

}  // namespace

void Controls::append(GtkWidget* table, int row, const Parameter& p) {
  const NamedWidget widget = make(p);
  gtk::attach_row(table, row, widget.name, widget.shown);
}

void Controls::append(GtkWidget* table, int row, const Parameter& first, const Parameter& second) {
  const NamedWidget one = make(first), other = make(second);
  GtkWidget* both = gtk::hbox(6);
  gtk_box_pack_start(GTK_BOX(both), one.shown, TRUE, TRUE, 0);
  gtk_box_pack_start(GTK_BOX(both), other.name, FALSE, FALSE, 6);
  gtk_box_pack_start(GTK_BOX(both), other.shown, TRUE, TRUE, 0);
  gtk::attach_row(table, row, one.name, both);
}

/// The parameter's label. A double click on it resets the parameter.
GtkWidget* Controls::name_of(Row& row, GtkWidget* focused) {
  GtkWidget* label = gtk_label_new_with_mnemonic(translate(row.parameter->label).c_str());
  gtk_label_set_mnemonic_widget(GTK_LABEL(label), focused);
  gtk::align_left(label);
  GtkWidget* name = gtk_event_box_new();  // a label has no events of its own
  gtk_event_box_set_visible_window(GTK_EVENT_BOX(name), FALSE);
  gtk_container_add(GTK_CONTAINER(name), label);
  gtk_widget_set_tooltip_text(name, _("Double click to reset"));
  g_signal_connect(name, "button-press-event", G_CALLBACK(+[](GtkWidget*, GdkEventButton* event, Row* r) -> gboolean {
                     if (event->type == GDK_2BUTTON_PRESS && event->button == 1) r->owner->events_.reset(*r->parameter);
                     return FALSE;
                   }),
                   &row);
  return name;
}

Controls::NamedWidget Controls::make(const Parameter& p) {
  rows_.push_back(std::make_unique<Row>());
  Row& new_row = *rows_.back();
  showing_ = true;  // widgets report the values that they are made with
  new_row.owner = this;
  new_row.parameter = &p;
  const auto user_changed = +[](Row* r) { r->owner->take(*r); };
  GtkWidget* shown = nullptr;    // what goes into the table
  GtkWidget* focused = nullptr;  // what the mnemonic leads to
  switch (p.kind) {
    case Parameter::Kind::boolean:
      new_row.widget = shown = focused = gtk_check_button_new();
      g_signal_connect_swapped(shown, "toggled", G_CALLBACK(user_changed), &new_row);
      break;
    case Parameter::Kind::integer:
    case Parameter::Kind::real: {
      new_row.adjustment = GTK_ADJUSTMENT(gtk_adjustment_new(p.low, p.low, p.high, p.step, p.step * 10, 0));
      g_signal_connect_swapped(new_row.adjustment, "value-changed", G_CALLBACK(user_changed), &new_row);
      new_row.spin = focused = number_widget(p, new_row.adjustment);
      shown = gtk::hbox(6);
      if (wants_slider(p)) {
        gtk_box_pack_start(GTK_BOX(shown), slider_of(p, new_row.adjustment), TRUE, TRUE, 0);
      }
      gtk_box_pack_start(GTK_BOX(shown), focused, !wants_slider(p), TRUE, 0);
      break;
    }
    case Parameter::Kind::choice:
      new_row.widget = shown = focused = gtk_combo_box_text_new();
      for (const Choice& c : p.choices) gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(shown), translate(c.label).c_str());
      grey_by(shown, &new_row.greyed);
      g_signal_connect_swapped(shown, "changed", G_CALLBACK(user_changed), &new_row);
      break;
    case Parameter::Kind::text:
      new_row.widget = shown = focused = models_box();
      g_signal_connect_swapped(shown, "changed", G_CALLBACK(user_changed), &new_row);
      break;
  }
  gtk_widget_set_tooltip_text(shown, translate(p.blurb).c_str());
  GtkWidget* name = name_of(new_row, focused);
  showing_ = false;
  return {name, shown};
}

Controls::Row* Controls::find(const char* parameter) {
  for (const auto& row : rows_)
    if (row->parameter->name == std::string(parameter)) return row.get();
  return nullptr;
}

void Controls::offer(const char* parameter, const std::string& id, bool offered) {
  Row* row = find(parameter);
  if (!row) return;
  const auto& choices = row->parameter->choices;
  for (size_t i = 0; i < choices.size(); ++i) {
    if (id != choices[i].id) continue;
    if (offered)
      row->greyed.erase(static_cast<int>(i));
    else
      row->greyed.insert(static_cast<int>(i));
  }
}

void Controls::explain(const char* parameter, const std::string& text) {
  if (Row* row = find(parameter)) gtk_widget_set_tooltip_text(row->widget, text.c_str());
}

void Controls::show_decided(const char* parameter, double value) {
  const Row* row = find(parameter);
  if (!row || !row->spin) return;
  const Parameter& p = *row->parameter;
  char text[32];
  g_snprintf(text, sizeof text, " (%.*f)", p.digits, value);  // in the user's locale, as spin buttons show numbers
  g_object_set_data_full(G_OBJECT(row->spin), kDecided, g_strdup(text), g_free);
  // Do not disturb a user who is typing.
  if (std::get<double>(p.get(request_)) < 0 && !gtk_widget_has_focus(row->spin))
    gtk_entry_set_text(GTK_ENTRY(row->spin), (std::string(_("auto")) + text).c_str());
}

void Controls::relabel(const char* parameter, const std::string& id, const std::string& label) {
  for (const auto& row : rows_) {
    const Parameter& p = *row->parameter;
    if (p.name != std::string(parameter)) continue;
    for (size_t i = 0; i < p.choices.size(); ++i)
      if (id == p.choices[i].id) {
        showing_ = true;
        const int active = gtk_combo_box_get_active(GTK_COMBO_BOX(row->widget));
        gtk_combo_box_text_remove(GTK_COMBO_BOX_TEXT(row->widget), static_cast<int>(i));
        gtk_combo_box_text_insert_text(GTK_COMBO_BOX_TEXT(row->widget), static_cast<int>(i), label.c_str());
        gtk_combo_box_set_active(GTK_COMBO_BOX(row->widget), active);
        showing_ = false;
      }
  }
}

void Controls::take(Row& row) {
  if (showing_) return;
  const Parameter& p = *row.parameter;
  switch (p.kind) {
    case Parameter::Kind::boolean:
      p.set(request_, gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(row.widget)) != FALSE);
      break;
    case Parameter::Kind::integer:
      p.set(request_, static_cast<int>(std::lround(gtk_adjustment_get_value(row.adjustment))));
      break;
    case Parameter::Kind::real:
      p.set(request_, gtk_adjustment_get_value(row.adjustment));
      break;
    case Parameter::Kind::choice: {
      const int active = gtk_combo_box_get_active(GTK_COMBO_BOX(row.widget));
      if (active < 0) return;
      p.set(request_, std::string(p.choices[active].id));
      break;
    }
    case Parameter::Kind::text:
      p.set(request_, models_box_path(row.widget));
      break;
  }
  events_.changed(p);
}

void Controls::refresh() {
  showing_ = true;
  for (const auto& row : rows_) {
    const Parameter& p = *row->parameter;
    const Value value = p.get(request_);
    switch (p.kind) {
      case Parameter::Kind::boolean:
        gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(row->widget), std::get<bool>(value));
        break;
      case Parameter::Kind::integer:
        gtk_adjustment_set_value(row->adjustment, std::get<int>(value));
        break;
      case Parameter::Kind::real:
        gtk_adjustment_set_value(row->adjustment, std::get<double>(value));
        break;
      case Parameter::Kind::choice:
        for (size_t i = 0; i < p.choices.size(); ++i)
          if (std::get<std::string>(value) == p.choices[i].id)
            gtk_combo_box_set_active(GTK_COMBO_BOX(row->widget), static_cast<int>(i));
        break;
      case Parameter::Kind::text:
        models_box_select(row->widget, std::get<std::string>(value));
        break;
    }
  }
  showing_ = false;
}

}  // namespace geometry_transfer
