// SPDX-License-Identifier: GPL-3.0-or-later
/// One transfer from files to files.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "geometry-transfer/transfer.h"

namespace geometry_transfer::cli {

/// Parameter names and values as they were typed, in any order.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// `base` with the settings: the preset first, whatever its place, then the others. Method and colour fields that were set by
/// hand make the preset "custom".
Request with_settings(Request base, const Settings& settings);

struct ReferenceFiles {
  std::string colour, mask;
  double weight = 1;
  Placement placement;
};

struct Job {
  std::string target, source, mask;             ///< mask: of the source's size, white selects
  std::vector<ReferenceFiles> references;       ///< further geometry
  std::vector<std::string> textures;            ///< further examples of the target's material
  std::optional<std::pair<double, double>> at;  ///< target pixel that the mask's centre goes to, before shift-x and shift-y
  std::string output, layer;                    ///< layer: the bare R'G'B'A; either may be empty, not both
  Settings settings;                            ///< on top of the command line's
};

struct JobResult {
  Report report;
  Request request;
  Rect layer;                  ///< on the canvas
  double read = 0, write = 0;  ///< seconds for the files
};

/// Throws Error or Cancelled; then nothing has been written.
JobResult run_job(Session& session, const Job& job, const Request& request, const ProgressCallback& progress);

}  // namespace geometry_transfer::cli
