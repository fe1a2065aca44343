// SPDX-License-Identifier: GPL-3.0-or-later
/// The data set's options on the command line.
#pragma once

#include <string>

#include "cli/dataset/plan.h"

namespace CLI {
class App;
}

namespace geometry_transfer::cli {

/// The options of a data set, as typed, without those that it shares with a single transfer.
struct TypedDataset {
  DatasetOptions options;
  std::string shard;
};

void add_dataset_options(CLI::App& app, TypedDataset& typed);

/// Completes what was typed with the files and settings of a single transfer. Throws Error (input) for missing or
/// contradicting options, before any file is read.
DatasetOptions dataset_options(const TypedDataset& typed, const Job& job, const Settings& settings);

}  // namespace geometry_transfer::cli
