// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialog/named_box.h"

#include <algorithm>

#include "dialog/gtk_compat.h"
#include "geometry-transfer/error.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

/// Lets the user type a name; empty if the user cancels.
std::string asked_name(GtkWidget* parent, const std::string& suggestion) {
  GtkWidget* dialog = gtk_dialog_new_with_buttons(_("Save settings"), GTK_WINDOW(gtk_widget_get_toplevel(parent)),
                                                  static_cast<GtkDialogFlags>(GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT),
                                                  _("_Cancel"), GTK_RESPONSE_CANCEL, _("Save"), GTK_RESPONSE_OK, nullptr);
  gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_OK);
  GtkWidget *row = gtk::vbox(6),
            *label = gtk_label_new(_("Name for these settings. Earlier settings with the same name are replaced.")),
            *entry = gtk_entry_new();
  gtk::align_left(label);
  gtk_container_set_border_width(GTK_CONTAINER(row), 12);
  gtk_entry_set_text(GTK_ENTRY(entry), suggestion.c_str());
  gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
  for (GtkWidget* part : {label, entry}) gtk_box_pack_start(GTK_BOX(row), part, FALSE, FALSE, 0);
  gtk_box_pack_start(GTK_BOX(gtk_dialog_get_content_area(GTK_DIALOG(dialog))), row, TRUE, TRUE, 0);
  gtk_widget_show_all(row);
  gtk_widget_grab_focus(entry);
  const bool saves = gtk_dialog_run(GTK_DIALOG(dialog)) == GTK_RESPONSE_OK;
  const std::string name = saves ? gtk_entry_get_text(GTK_ENTRY(entry)) : "";
  gtk_widget_destroy(dialog);
  return name;
}

}  // namespace

NamedBox::NamedBox(Call& call, std::function<void()> chosen) : call_(call), chosen_(std::move(chosen)) {
  box_ = gtk::hbox(6);
  list_ = gtk_combo_box_text_new();
  gtk_widget_set_tooltip_text(list_, _("Settings that were saved under a name. The placement stays as it is"));
  g_signal_connect_swapped(list_, "changed", G_CALLBACK(+[](NamedBox* self) { self->choose(); }), this);
  gtk_box_pack_start(GTK_BOX(box_), list_, TRUE, TRUE, 0);
  GtkWidget* save = gtk_button_new_with_label(_("Save..."));
  gtk_widget_set_tooltip_text(save, _("Saves quality, kind, model and sliders under a name"));
  g_signal_connect_swapped(save, "clicked", G_CALLBACK(+[](NamedBox* self) { self->save(); }), this);
  gtk_box_pack_start(GTK_BOX(box_), save, FALSE, FALSE, 0);
  delete_ = gtk_button_new_with_label(_("Delete"));
  gtk_widget_set_tooltip_text(delete_, _("Deletes the saved settings that are shown. Results keep their own"));
  g_signal_connect_swapped(delete_, "clicked", G_CALLBACK(+[](NamedBox* self) { self->remove(); }), this);
  gtk_box_pack_start(GTK_BOX(box_), delete_, FALSE, FALSE, 0);
  read();
}

/// Fills the list anew.
void NamedBox::read() {
  showing_ = true;
  for (size_t i = 0; i < all_.size(); ++i) gtk_combo_box_text_remove(GTK_COMBO_BOX_TEXT(list_), 0);
  all_ = named_settings();
  for (const NamedSettings& named : all_) gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(list_), named.name.c_str());
  showing_ = false;
  refresh();
}

void NamedBox::refresh() {
  showing_ = true;
  const auto equal = [&](const NamedSettings& named) { return equals_named(named, call_.request, call_.kind); };
  // If two saved settings are equal, keep showing the one that was shown last.
  auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& named) { return named.name == last_ && equal(named); });
  if (found == all_.end()) found = std::find_if(all_.begin(), all_.end(), equal);
  gtk_combo_box_set_active(GTK_COMBO_BOX(list_), found == all_.end() ? -1 : static_cast<int>(found - all_.begin()));
  if (found != all_.end()) last_ = found->name;
  gtk_widget_set_sensitive(list_, !all_.empty());
  gtk_widget_set_sensitive(delete_, found != all_.end());
  showing_ = false;
}

void NamedBox::choose() {
  const int active = gtk_combo_box_get_active(GTK_COMBO_BOX(list_));
  if (showing_ || active < 0) return;
  last_ = all_[active].name;
  apply_named(all_[active], call_.request, call_.kind);
  chosen_();
}

void NamedBox::save() {
  const std::string name = asked_name(box_, last_);
  if (name.empty()) return;
  try {
    save_named({name, call_.request, call_.kind});
    last_ = name;
  } catch (const Error&) {  // a name of spaces only is not saved, like an empty one
  }
  read();
}

void NamedBox::remove() {
  const int active = gtk_combo_box_get_active(GTK_COMBO_BOX(list_));
  if (active < 0) return;
  delete_named(all_[active].name);
  read();
}

}  // namespace geometry_transfer
