// SPDX-License-Identifier: GPL-3.0-or-later
/// One transfer from files to files.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "geometry-transfer/transfer.h"

namespace geometry_transfer::cli {

/// Pairs of a parameter's name and the text of its value, in any order.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// Applies the settings to `base`: first the preset, whatever its place, and then the others. If a setting changes a
/// value that the preset decides, the preset becomes "custom". Throws Error (input).
Request with_settings(Request base, const Settings& settings);

struct ReferenceFiles {
  std::string colour, mask;
  double weight = 1;
  Placement placement;
};

struct Job {
  std::string target, source, mask;             ///< the mask has the source's size; white selects
  std::vector<ReferenceFiles> references;       ///< further geometry
  std::vector<std::string> textures;            ///< further examples of the target's material
  std::optional<std::pair<double, double>> at;  ///< target pixel for the mask's centre; shift-x and shift-y are added
  std::string output, layer;                    ///< layer: the new layer as R'G'B'A. One of output, layer and layers is needed
  std::string label;                            ///< 255 where the transfer changed something visibly, 0 elsewhere; may be empty
  std::string layers;                           ///< folder for the result as separate layers, see layer_files.h; may be empty
  Settings settings;                            ///< applied after the command line's
};

struct JobResult {
  Report report;
  Request request;
  Rect layer;                         ///< on the canvas
  double read = 0, write = 0;         ///< seconds spent on files
  std::vector<std::string> warnings;  ///< sentences of the files' readers
};

/// Reads the files, runs the transfer and writes the results. Throws Error or Cancelled; then nothing was written.
JobResult run_job(Session& session, const Job& job, const Request& request, const ProgressCallback& progress);

}  // namespace geometry_transfer::cli
