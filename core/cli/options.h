// SPDX-License-Identifier: GPL-3.0-or-later
/// The command line as typed.
#pragma once

#include <string>

#include "cli/job.h"

namespace geometry_transfer::cli {

struct Options {
  Job job;            ///< without settings: those are in `request`
  Request request;    ///< defaults, the preset, then what was given by name
  std::string batch;  ///< list or folder; job is then unused but for output
  std::string report;
  bool quiet = false, list_models = false;
};

/// What to do instead of running: the text was printed.
struct Exit {
  int code;
};

/// Throws Exit after --help, --version and usage errors (code 2), Error (input) for values out of range.
Options parse_options(int argc, char** argv);

}  // namespace geometry_transfer::cli
