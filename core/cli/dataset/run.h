// SPDX-License-Identifier: GPL-3.0-or-later
/// A whole data set, on all cores, from the options to the manifest.
#pragma once

#include "cli/dataset/plan.h"
#include "cli/report.h"

namespace geometry_transfer::cli {

/// Makes the pictures that are not there yet. The folder holds then
///   manifest.jsonl         a line for the set, then a line for each picture in the order of its index (see row.h)
///   manifest-I-of-N.jsonl  the same of one shard; the shard that ends last writes the whole one
///   *.part                 lines of a run that goes on or was stopped, in the order of completion
/// Says on stderr what was left out and what failed. `threads`: 0, as many as there are cores. Returns the exit code.
/// Throws Error, and Cancelled after an interrupt; what was made stays, and the same call goes on from there.
int run_dataset(const DatasetOptions& options, const Request& base, bool quiet, ProgressLine& line);

}  // namespace geometry_transfer::cli
