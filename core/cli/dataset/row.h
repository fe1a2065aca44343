// SPDX-License-Identifier: GPL-3.0-or-later
/// One picture of a data set: drawn values and results. The manifest has a line of JSON for each picture.
#pragma once

#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "cli/dataset/measure.h"
#include "cli/job.h"

namespace geometry_transfer::cli {

using Json = nlohmann::ordered_json;

struct Defect {
  std::string source, mask, kind;
  double x = 0, y = 0;  ///< target pixel of the mask's centre
  Settings settings;    ///< all that was given or drawn for it
  // Results:
  cv::Rect box;      ///< of the label, pixels of the picture
  int area = 0;      ///< pixels of the label
  std::string runs;  ///< the label as COCO's compressed run lengths
  Measures measures;
};

struct Row {
  std::size_t index = 0;
  std::string split;                      ///< "train", "val", "test"
  std::string target;                     ///< path as it was given
  cv::Size size;                          ///< of the picture
  std::vector<Defect> defects;            ///< none: the target as it is
  std::string picture, label, instances;  ///< paths in the data set's folder; empty: not written
  int tries = 0;                          ///< draws that it took
  std::string error;                      ///< why there is no picture; empty: there is
};

Json row_json(const Row& row);
/// Throws Error (input) that starts with `place` where the line is no row.
Row parse_row(const Json& line, const std::string& place);

/// "crack", or "combined" where defects of several kinds are in the picture, as MVTec names it; "good" without any.
std::string kind_of(const Row& row);

}  // namespace geometry_transfer::cli
