// SPDX-License-Identifier: GPL-3.0-or-later
/// A row for the number of copies, their spread and their seed.
#pragma once

#include <gtk/gtk.h>

#include "copies.h"

namespace geometry_transfer {

class CopiesBox {
 public:
  explicit CopiesBox(Copies& copies);
  CopiesBox(const CopiesBox&) = delete;

  GtkWidget* widget() const { return box_; }
  /// The number of copies, for the label's mnemonic.
  GtkWidget* count() const { return count_; }
  /// Shows the values, for example after a reset.
  void refresh();

 private:
  GtkWidget* number(double low, double high, double step, int digits, const char* tip);
  void take();

  Copies& copies_;
  GtkWidget *box_, *count_, *spread_, *seed_, *more_;
  bool showing_ = false;  // the program sets values, not the user
};

}  // namespace geometry_transfer
