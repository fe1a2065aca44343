// SPDX-License-Identifier: GPL-3.0-or-later
/// The further references of a call: a row each, and a button that adds one.
#pragma once

#include <gtk/gtk.h>

#include <functional>
#include <memory>
#include <vector>

#include "run.h"

namespace geometry_transfer {

class ReferencesBox {
 public:
  /// Shows and changes call.further; `changed` is called after each change by the user.
  ReferencesBox(Call& call, std::function<void()> changed);
  ~ReferencesBox();
  ReferencesBox(const ReferencesBox&) = delete;

  GtkWidget* widget() const { return box_; }
  /// Takes all of them away.
  void clear();
  /// Enables the button if a free layer exists and the limit of references is not reached. Call it after call.source
  /// changes.
  void offer_more();

 private:
  struct Row;
  host::Id free_layer() const;
  void append(const FurtherReference& reference);
  void add();
  void remove(Row* row);
  void take();

  Call& call_;
  std::function<void()> changed_;
  GtkWidget *box_, *list_, *button_;
  std::vector<std::unique_ptr<Row>> rows_;
  bool showing_ = false;  // true while the program sets widgets; their signals are then ignored
};

}  // namespace geometry_transfer
