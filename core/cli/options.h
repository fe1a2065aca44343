// SPDX-License-Identifier: GPL-3.0-or-later
/// The parsed command line.
#pragma once

#include <string>

#include "cli/dataset/plan.h"
#include "cli/job.h"

namespace geometry_transfer::cli {

struct Options {
  Job job;                 ///< its settings are empty: they are in `request`
  Request request;         ///< defaults, then the preset, then the single options
  DatasetOptions dataset;  ///< set by --variants or --manifest; `job` is then unused
  std::string batch;       ///< list or folder; only job.output is then used
  std::string report;
  bool quiet = false, list_models = false;
};

/// Thrown when the program ends without a run. The text is printed already.
struct Exit {
  int code;
};

/// Parses the command line. Throws Exit after --help, --version and usage errors (code 2), Error (input) for values out
/// of range.
Options parse_options(int argc, char** argv);

}  // namespace geometry_transfer::cli
