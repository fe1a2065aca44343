// SPDX-License-Identifier: GPL-3.0-or-later
/// Many transfers in one process: the model is loaded once.
#pragma once

#include <string>
#include <vector>

#include "cli/job.h"

namespace geometry_transfer::cli {

/// Jobs from
///   LIST.tsv   a header (target, source, mask, output, layer, at, reference, reference-mask, texture and any parameter's name)
///              and a line a job; one further reference and one texture each
///   LIST.json  an array of objects with the same keys
///   FOLDER     a job for each folder in it that holds target.*, source.* and mask.*; the result is OUTPUT/NAME.png or .tiff;
///              OUTPUT is made where it is missing
/// Paths in a list are relative to the list. Throws Error (input) with the line or entry.
std::vector<Job> read_batch(const std::string& path, const std::string& output_folder);

/// "X,Y" in target pixels.
std::pair<double, double> parse_at(const std::string& text);

}  // namespace geometry_transfer::cli
