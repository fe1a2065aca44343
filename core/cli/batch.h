// SPDX-License-Identifier: GPL-3.0-or-later
/// Many transfers in one process: the model is loaded once.
#pragma once

#include <string>
#include <vector>

#include "cli/job.h"
#include "cli/picture.h"

namespace geometry_transfer::cli {

/// Reads the jobs of a list or a folder.
///   LIST.tsv   The header names the columns: target, source, mask, output, layer, label, at, reference,
///              reference-mask, texture, or any parameter. Each further line is a job with at most one further
///              reference and one texture.
///   LIST.json  An array of objects with the same keys.
///   FOLDER     Each subfolder that holds target.*, source.* and mask.* is a job. Its result is OUTPUT/NAME.png or
///              .tiff. The folder OUTPUT is created if it is missing.
/// Paths in a list are relative to the list. A list has at most 64 MB and 100000 jobs, and is a regular file. Throws
/// Error (input) that names the line or entry, Cancelled when stopped.
std::vector<Job> read_batch(const std::string& path, const std::string& output_folder, const StopRequested& stop = {});

/// Parses "X,Y", in target pixels. Throws Error (input).
std::pair<double, double> parse_at(const std::string& text);

}  // namespace geometry_transfer::cli
