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
  /// The button works while there is a layer without a part in the transfer, and room for one more. To be called when call.source
  /// has changed.
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
  bool showing_ = false;  // the program makes widgets, not the user changes them
};

}  // namespace geometry_transfer
