// SPDX-License-Identifier: GPL-3.0-or-later
/// A row to choose named settings, to save the dialog's settings under a name, and to delete named settings.
#pragma once

#include <gtk/gtk.h>

#include <functional>
#include <string>
#include <vector>

#include "named_settings.h"
#include "run.h"

namespace geometry_transfer {

class NamedBox {
 public:
  /// `chosen` is called after settings were chosen and copied into the call.
  NamedBox(Call& call, std::function<void()> chosen);
  NamedBox(const NamedBox&) = delete;

  GtkWidget* widget() const { return box_; }
  /// Selects the saved settings that equal the call's settings, or none.
  void refresh();

 private:
  void read();
  void choose();
  void save();
  void remove();

  Call& call_;
  std::function<void()> chosen_;
  GtkWidget *box_, *list_, *delete_;
  std::vector<NamedSettings> all_;  // in the order of the list
  std::string last_;                // the name that was shown last: the suggestion for the next save
  bool showing_ = false;            // the program chooses, not the user
};

}  // namespace geometry_transfer
