// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialog/references_box.h"

#include <algorithm>

#include "dialog/gtk_compat.h"
#include "host/host_ui.h"
#include "request/text.h"
#include "settings.h"

namespace geometry_transfer {

struct ReferencesBox::Row {
  ReferencesBox* owner;
  FurtherReference reference;
  GtkWidget* widget = nullptr;
};

namespace {

constexpr char kWhere[] =
    N_("Its layer mask marks the geometry. Without a mask the selection does; layers side by side share it. For a layer of "
       "another image, that image's selection counts");

GtkWidget* role_box(Reference::Role role) {
  GtkWidget* box = gtk_combo_box_text_new();
  gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(box), _("More geometry"));
  gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(box), _("Texture of the target's material"));
  gtk_combo_box_set_active(GTK_COMBO_BOX(box), role == Reference::Role::texture);
  gtk_widget_set_tooltip_text(box, _("More geometry: transferred, too. Texture: only shows the model more of the target's "
                                     "material, and is not in the preview"));
  return box;
}

GtkWidget* weight_box(double weight) {
  using R = FurtherReference;
  GtkWidget* box = gtk_spin_button_new_with_range(R::kLeastWeight, R::kMostWeight, 0.1);
  gtk_spin_button_set_digits(GTK_SPIN_BUTTON(box), 2);
  gtk_spin_button_set_value(GTK_SPIN_BUTTON(box), weight);
  gtk_entry_set_width_chars(GTK_ENTRY(box), 6);
  gtk_widget_set_tooltip_text(
      box, _("Weight against 1 for the main reference: how much the model looks at it, and its share where geometries overlap"));
  return box;
}

}  // namespace

ReferencesBox::ReferencesBox(Call& call, std::function<void()> changed) : call_(call), changed_(std::move(changed)) {
  box_ = gtk::vbox(6);
  list_ = gtk::vbox(6);
  gtk_box_pack_start(GTK_BOX(box_), list_, FALSE, FALSE, 0);
  button_ = gtk_button_new_with_mnemonic(_("Add a further refere_nce"));
  gtk_widget_set_tooltip_text(button_, _("Another layer with geometry, or with more of the target's material"));
  g_signal_connect_swapped(button_, "clicked", G_CALLBACK(+[](ReferencesBox* self) { self->add(); }), this);
  gtk_box_pack_start(GTK_BOX(box_), button_, FALSE, FALSE, 0);
  for (const FurtherReference& reference : std::vector<FurtherReference>(call.further)) append(reference);
  offer_more();
}

ReferencesBox::~ReferencesBox() = default;

void ReferencesBox::append(const FurtherReference& reference) {
  rows_.push_back(std::make_unique<Row>());
  Row* row = rows_.back().get();
  showing_ = true;
  row->owner = this;
  row->reference = reference;
  row->widget = gtk::vbox(3);
  GtkWidget *first = gtk::hbox(6), *second = gtk::hbox(6);
  GtkWidget* layer = host::layer_chooser(call_.target, static_cast<host::Id>(reference.layer), [row](host::Id chosen) {
    row->reference.layer = chosen;
    row->owner->take();
  });
  gtk_widget_set_tooltip_text(layer, translate(kWhere).c_str());
  GtkWidget* away = gtk_button_new();
  gtk_container_add(GTK_CONTAINER(away), gtk_image_new_from_icon_name("list-remove", GTK_ICON_SIZE_MENU));
  gtk_widget_set_tooltip_text(away, _("Remove this reference"));
  g_signal_connect_swapped(away, "clicked", G_CALLBACK(+[](Row* r) { r->owner->remove(r); }), row);
  gtk_box_pack_start(GTK_BOX(first), layer, TRUE, TRUE, 0);
  gtk_box_pack_start(GTK_BOX(first), away, FALSE, FALSE, 0);

  GtkWidget *role = role_box(reference.role), *weight = weight_box(reference.weight);
  g_signal_connect_swapped(role, "changed", G_CALLBACK(+[](Row* r, GtkComboBox* box) {
                             r->reference.role =
                                 gtk_combo_box_get_active(box) == 1 ? Reference::Role::texture : Reference::Role::geometry;
                             r->owner->take();
                           }),
                           row);
  g_signal_connect_swapped(weight, "value-changed", G_CALLBACK(+[](Row* r, GtkSpinButton* box) {
                             r->reference.weight = gtk_spin_button_get_value(box);
                             r->owner->take();
                           }),
                           row);
  gtk_box_pack_start(GTK_BOX(second), role, TRUE, TRUE, 0);
  gtk_box_pack_start(GTK_BOX(second), weight, FALSE, FALSE, 0);
  gtk_box_pack_start(GTK_BOX(row->widget), first, FALSE, FALSE, 0);
  gtk_box_pack_start(GTK_BOX(row->widget), second, FALSE, FALSE, 0);
  gtk_box_pack_start(GTK_BOX(list_), row->widget, FALSE, FALSE, 0);
  gtk_widget_show_all(row->widget);
  showing_ = false;
}

/// Returns a layer that is not used yet, from this image first; host::kNone if there is none.
host::Id ReferencesBox::free_layer() const {
  std::vector<host::Id> images = {call_.image};
  for (const host::Id image : host::images())
    if (image != call_.image) images.push_back(image);
  for (const host::Id image : images)
    for (const host::Id layer : host::layers(image)) {
      const bool taken = is_result(layer) || layer == call_.target || layer == call_.source ||
                         std::any_of(rows_.begin(), rows_.end(), [&](const auto& row) { return row->reference.layer == layer; });
      if (!taken) return layer;
    }
  return host::kNone;
}

void ReferencesBox::offer_more() {
  gtk_widget_set_sensitive(button_, rows_.size() < kMostReferences && free_layer() != host::kNone);
}

void ReferencesBox::add() {
  FurtherReference added;
  added.layer = free_layer();
  append(added);
  take();
}

void ReferencesBox::remove(Row* row) {
  gtk_widget_destroy(row->widget);
  rows_.erase(std::find_if(rows_.begin(), rows_.end(), [&](const auto& r) { return r.get() == row; }));
  take();
}

void ReferencesBox::clear() {
  for (const auto& row : rows_) gtk_widget_destroy(row->widget);
  rows_.clear();
  call_.further.clear();
  offer_more();
}

void ReferencesBox::take() {
  if (showing_) return;
  call_.further.clear();
  for (const auto& row : rows_) call_.further.push_back(row->reference);
  offer_more();
  changed_();
}

}  // namespace geometry_transfer
