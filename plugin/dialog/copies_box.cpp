// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialog/copies_box.h"

#include <utility>

#include "dialog/gtk_compat.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

constexpr double kMostSpread = 50;  // lengths of the geometry
constexpr int kMostSeed = 9999;

}  // namespace

CopiesBox::CopiesBox(Copies& copies) : copies_(copies) {
  box_ = gtk::hbox(6);
  more_ = gtk::hbox(6);
  count_ = number(1, Copies::kMost, 1, 0, _("Number of copies on the target. One undo removes them all"));
  spread_ = number(0.5, kMostSpread, 0.5, 1,
                   _("Greatest distance of the copies from the first one, in lengths of the geometry. They differ a little in "
                     "size and angle"));
  seed_ = number(1, kMostSeed, 1, 0, _("Another number arranges the copies differently"));
  for (const auto& [text, spin] : {std::pair{_("Spread"), spread_}, {_("Seed"), seed_}}) {
    gtk_box_pack_start(GTK_BOX(more_), gtk_label_new(text), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(more_), spin, TRUE, TRUE, 0);
  }
  gtk_box_pack_start(GTK_BOX(box_), count_, TRUE, TRUE, 0);
  gtk_box_pack_start(GTK_BOX(box_), more_, TRUE, TRUE, 0);
  refresh();
}

GtkWidget* CopiesBox::number(double low, double high, double step, int digits, const char* tip) {
  GtkWidget* spin = gtk_spin_button_new_with_range(low, high, step);
  gtk_spin_button_set_digits(GTK_SPIN_BUTTON(spin), digits);
  gtk_spin_button_set_numeric(GTK_SPIN_BUTTON(spin), TRUE);
  gtk_entry_set_width_chars(GTK_ENTRY(spin), 4);
  gtk_widget_set_tooltip_text(spin, tip);
  g_signal_connect_swapped(spin, "value-changed", G_CALLBACK(+[](CopiesBox* self) { self->take(); }), this);
  return spin;
}

void CopiesBox::take() {
  if (showing_) return;
  copies_.count = gtk_spin_button_get_value_as_int(GTK_SPIN_BUTTON(count_));
  copies_.spread = gtk_spin_button_get_value(GTK_SPIN_BUTTON(spread_));
  copies_.seed = gtk_spin_button_get_value_as_int(GTK_SPIN_BUTTON(seed_));
  gtk_widget_set_sensitive(more_, copies_.count > 1);
}

void CopiesBox::refresh() {
  showing_ = true;
  gtk_spin_button_set_value(GTK_SPIN_BUTTON(count_), copies_.count);
  gtk_spin_button_set_value(GTK_SPIN_BUTTON(spread_), copies_.spread);
  gtk_spin_button_set_value(GTK_SPIN_BUTTON(seed_), copies_.seed);
  gtk_widget_set_sensitive(more_, copies_.count > 1);
  showing_ = false;
}

}  // namespace geometry_transfer
