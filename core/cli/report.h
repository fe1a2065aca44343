// SPDX-License-Identifier: GPL-3.0-or-later
/// What a transfer did, for scripts (JSON) and for people (a line that is redrawn).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/job.h"

namespace geometry_transfer::cli {

/// One line for the terminal, harmless.
std::string printable(std::string text);

/// Keys as in Report and the parameter table; lengths in pixels, times in seconds, memory in bytes.
nlohmann::ordered_json report_json(const Job& job, const JobResult& result);

/// Refuses a file's name that cannot be written, before any work is done.
void check_report(const std::string& where);

/// "json": to stdout; otherwise a file's name.
void write_report(const std::string& where, const nlohmann::ordered_json& report);

/// The models of this machine: name, family, MB, path, and for one that cannot be used why.
void print_models();

/// A bar on stderr while it is a terminal; asks to stop once interrupted (Ctrl+C, SIGTERM). The second signal kills.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine();
  ProgressCallback callback();
  void clear();

 private:
  bool shown_;
  std::string last_;
};

}  // namespace geometry_transfer::cli
