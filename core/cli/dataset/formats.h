// SPDX-License-Identifier: GPL-3.0-or-later
/// Folders and files of a data set, as the readers of each field expect them.
#pragma once

#include <string>
#include <vector>

#include "cli/dataset/row.h"
#include "cli/output_file.h"

namespace geometry_transfer::cli {

enum class DatasetFormat {
  plain,  ///< images/[SPLIT/]NAME.png, labels/ (0 and 255) and instances/ (1, 2, ...) beside it
  mvtec,  ///< MVTec AD: train/good, test/good, test/KIND/NAME.png, ground_truth/KIND/NAME_mask.png
  coco,   ///< COCO: SPLIT/NAME.png, annotations/instances_SPLIT.json with boxes and run lengths
  yolo,   ///< YOLO segments: images/SPLIT/NAME.png, labels/SPLIT/NAME.txt with polygons, data.yaml
};

/// Throws Error (input) that lists the names.
DatasetFormat parse_dataset_format(const std::string& text);

/// Fills in the row's paths, from its index, split and kinds. `several`: pictures may hold several defects, so plain
/// writes instance masks. `splits`: plain uses a folder for each split.
void name_files(Row& row, DatasetFormat format, bool several, bool splits);

/// Returns the files that belong to one picture: label, instance mask, or polygons. `instances`: CV_8UC1, the defect's
/// number from 1 on for each pixel of its label, else 0. Paths begin with `folder`. YOLO's classes are indices in
/// `kinds`.
std::vector<NewFile> label_files(const Row& row, const cv::Mat& instances, DatasetFormat format, const std::string& folder,
                                 const std::vector<std::string>& kinds);

/// Returns the files that belong to the whole set: COCO's annotations, YOLO's data.yaml. `rows` in the order of their
/// index, none failed.
std::vector<NewFile> index_files(const std::vector<Row>& rows, DatasetFormat format, const std::string& folder,
                                 const std::vector<std::string>& kinds);

}  // namespace geometry_transfer::cli
