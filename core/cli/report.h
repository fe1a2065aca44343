// SPDX-License-Identifier: GPL-3.0-or-later
/// Reports of a transfer: JSON for scripts, a progress line for people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/job.h"
#include "cli/picture.h"

namespace geometry_transfer::cli {

/// Makes a text safe for the terminal: one line without control characters.
std::string printable(std::string text);

/// The report as JSON. Keys are those of Report and of the parameter table. Units: pixels, seconds, bytes.
nlohmann::ordered_json report_json(const Job& job, const JobResult& result);

/// Throws Error if the report cannot be written to `where`. Called before any work.
void check_report(const std::string& where);

/// Writes the report to stdout if `where` is "json", else to the file `where`.
void write_report(const std::string& where, const nlohmann::ordered_json& report);

/// Prints the models of this machine: name, family, MB, path, and the reason if a model cannot be used.
void print_models();

/// Draws a progress bar if stderr is a terminal. Its callback asks to stop after Ctrl+C or SIGTERM; a second signal
/// kills.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine();
  ProgressCallback callback();
  /// True after Ctrl+C or SIGTERM.
  StopRequested stop_requested() const;
  /// Draws a line: `fraction` in [0,1] as a bar, and `text`. Returns false once the user asks to stop.
  bool show(double fraction, const std::string& text);
  void clear();

 private:
  bool shown_;
  std::string last_;
};

}  // namespace geometry_transfer::cli
