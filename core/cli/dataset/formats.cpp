// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/dataset/formats.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "cli/dataset/outline.h"
#include "cli/image_file.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance = 0.4;  // pixels that a polygon may be off the label

std::vector<unsigned char> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

std::vector<unsigned char> png(const cv::Mat& mask) {
  Picture picture;
  picture.pixels = mask;
  return encoded("mask.png", picture);
}

std::size_t place_of(const std::string& kind, const std::vector<std::string>& kinds) {
  return static_cast<std::size_t>(std::find(kinds.begin(), kinds.end(), kind) - kinds.begin());
}

/// "CLASS X Y X Y ..." a region, in shares of the picture's sides.
std::string yolo_lines(const Row& row, const cv::Mat& instances, const std::vector<std::string>& kinds) {
  std::string text;
  for (std::size_t i = 0; i < row.defects.size(); ++i)
    for (const auto& polygon : polygons(instances == static_cast<int>(i + 1), kTolerance)) {
      text += fmt::format("{}", place_of(row.defects[i].kind, kinds));
      for (const cv::Point2d& p : polygon)
        text += fmt::format(" {:.6f} {:.6f}", std::clamp(p.x / row.size.width, 0.0, 1.0),
                            std::clamp(p.y / row.size.height, 0.0, 1.0));
      text += "\n";
    }
  return text;
}

std::vector<NewFile> coco_annotations(const std::vector<Row>& rows, const std::string& folder,
                                      const std::vector<std::string>& kinds) {
  Json categories = Json::array();
  for (std::size_t i = 0; i < kinds.size(); ++i)
    categories.push_back({{"id", i + 1}, {"name", kinds[i]}, {"supercategory", "defect"}});
  std::map<std::string, Json> splits;
  std::size_t id = 0;
  for (const Row& row : rows) {
    Json& split = splits
                      .emplace(row.split, Json{{"info", {{"description", "Made by Geometry Transfer"}}},
                                               {"images", Json::array()},
                                               {"annotations", Json::array()},
                                               {"categories", categories}})
                      .first->second;
    split["images"].push_back({{"id", row.index + 1},
                               {"file_name", fs::path(row.picture).filename().string()},
                               {"width", row.size.width},
                               {"height", row.size.height}});
    for (const Defect& d : row.defects)
      split["annotations"].push_back({{"id", ++id},
                                      {"image_id", row.index + 1},
                                      {"category_id", place_of(d.kind, kinds) + 1},
                                      {"bbox", {d.box.x, d.box.y, d.box.width, d.box.height}},
                                      {"area", d.area},
                                      {"segmentation", {{"size", {row.size.height, row.size.width}}, {"counts", d.runs}}},
                                      {"iscrowd", 0}});
  }
  std::vector<NewFile> files;
  for (const auto& [name, json] : splits)
    files.push_back({(fs::path(folder) / "annotations" / ("instances_" + name + ".json")).string(),
                     bytes_of(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n")});
  return files;
}

std::vector<NewFile> yolo_data(const std::vector<Row>& rows, const std::string& folder, const std::vector<std::string>& kinds) {
  std::map<std::string, bool> there;
  for (const Row& row : rows) there[row.split] = true;
  // Readers insist on a set to validate on.
  const std::string first = there.empty() ? "train" : there.begin()->first;
  std::string text;
  for (const char* split : {"train", "val", "test"}) {
    const bool has = there.count(split) > 0;
    if (has || std::string(split) != "test") text += fmt::format("{}: images/{}\n", split, has ? split : first);
  }
  text += "names:\n";
  for (std::size_t i = 0; i < kinds.size(); ++i) text += fmt::format("  {}: {}\n", i, Json(kinds[i]).dump());
  return {{(fs::path(folder) / "data.yaml").string(), bytes_of(text)}};
}

}  // namespace

DatasetFormat parse_dataset_format(const std::string& text) {
  if (text == "plain") return DatasetFormat::plain;
  if (text == "mvtec") return DatasetFormat::mvtec;
  if (text == "coco") return DatasetFormat::coco;
  if (text == "yolo") return DatasetFormat::yolo;
  throw error(Error::Kind::input, _("There is no format \"{0}\": choose plain, mvtec, coco or yolo."), text);
}

void name_files(Row& row, DatasetFormat format, bool several, bool splits) {
  const std::string name = fmt::format("{:06}", row.index), picture = name + ".png";
  row.label.clear(), row.instances.clear();
  switch (format) {
    case DatasetFormat::plain: {
      const std::string inner = (splits ? row.split + "/" : "") + picture;
      row.picture = "images/" + inner, row.label = "labels/" + inner;
      if (several) row.instances = "instances/" + inner;
      return;
    }
    case DatasetFormat::mvtec:
      row.picture = row.split + "/" + kind_of(row) + "/" + picture;
      if (!row.defects.empty()) row.label = "ground_truth/" + kind_of(row) + "/" + name + "_mask.png";
      return;
    case DatasetFormat::coco:
      row.picture = row.split + "/" + picture;
      return;
    case DatasetFormat::yolo:
      row.picture = "images/" + row.split + "/" + picture;
      row.label = "labels/" + row.split + "/" + name + ".txt";
      return;
  }
}

std::vector<NewFile> label_files(const Row& row, const cv::Mat& instances, DatasetFormat format, const std::string& folder,
                                 const std::vector<std::string>& kinds) {
  std::vector<NewFile> files;
  const auto add = [&](const std::string& path, std::vector<unsigned char> bytes) {
    if (!path.empty()) files.push_back({(fs::path(folder) / path).string(), std::move(bytes)});
  };
  if (format == DatasetFormat::yolo)
    add(row.label, bytes_of(yolo_lines(row, instances, kinds)));
  else if (!row.label.empty())
    add(row.label, png(instances > 0));
  if (!row.instances.empty()) add(row.instances, png(instances));
  return files;
}

std::vector<NewFile> index_files(const std::vector<Row>& rows, DatasetFormat format, const std::string& folder,
                                 const std::vector<std::string>& kinds) {
  if (format == DatasetFormat::coco) return coco_annotations(rows, folder, kinds);
  if (format == DatasetFormat::yolo) return yolo_data(rows, folder, kinds);
  return {};
}

}  // namespace geometry_transfer::cli
