// SPDX-License-Identifier: GPL-3.0-or-later
/// One widget for each row of the parameter table, all showing one request.
#pragma once

#include <gtk/gtk.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "geometry-transfer/request.h"

namespace geometry_transfer {

class Controls {
 public:
  struct Events {
    /// Gets the parameter that the user changed; the request has its new value by then.
    std::function<void(const Parameter&)> changed;
    /// Called after a double click on a parameter's name. It is to set the request's field to its usual value.
    std::function<void(const Parameter&)> reset;
  };
  Controls(Request& request, Events events);
  ~Controls();
  Controls(const Controls&) = delete;

  /// Appends the parameter's row (label and widget) to a gtk::table.
  void append(GtkWidget* table, int row, const Parameter& parameter);
  /// Appends two numbers in one row.
  void append(GtkWidget* table, int row, const Parameter& first, const Parameter& second);
  /// Changes the label of one value of a choice.
  void relabel(const char* parameter, const std::string& id, const std::string& label);
  /// Greys one value of a choice, or enables it again. A greyed value stays shown if the request has it.
  void offer(const char* parameter, const std::string& id, bool offered);
  /// Sets the tooltip of a parameter's widget.
  void explain(const char* parameter, const std::string& text);
  /// Shows the number that the edit decided in the box of a parameter on automatic: "auto (0.35)".
  void show_decided(const char* parameter, double value);
  /// Shows the request's values without reporting them as changes.
  void refresh();

 private:
  struct Row;
  struct NamedWidget {
    GtkWidget *name, *shown;
  };
  NamedWidget make(const Parameter& parameter);
  GtkWidget* name_of(Row& row, GtkWidget* focused);
  void take(Row& row);
  Row* find(const char* parameter);

  Request& request_;
  Events events_;
  std::vector<std::unique_ptr<Row>> rows_;
  bool showing_ = false;  // the program sets values, not the user
};

}  // namespace geometry_transfer
