// SPDX-License-Identifier: GPL-3.0-or-later
/// Compares the files of a run before any work, so that no output destroys an input or another output.
#pragma once

#include <string>
#include <vector>

#include "cli/job.h"
#include "cli/picture.h"

namespace geometry_transfer::cli {

/// Throws Error (input) if two outputs are one file, or if an output is a file that is read. Files are compared by
/// device and inode, and links are followed. A job's output may be its own target. A file that does not exist yet may
/// be one job's output and another job's input. `report` and `batch_list` may be empty; "json" is no file. Throws
/// Cancelled when stopped.
void check_outputs(const std::vector<Job>& jobs, const std::string& report, const std::string& batch_list,
                   const StopRequested& stop = {});

}  // namespace geometry_transfer::cli
