// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/dataset/row.h"

#include <cmath>
#include <filesystem>

#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

/// A stranger's manifest must not write outside the data set's folder.
std::string path_inside(const Json& text, const std::string& place) {
  const std::filesystem::path path(text.get<std::string>());
  for (const auto& part : path)
    if (part == ".." || path.is_absolute())
      throw error(Error::Kind::input, _("{0}: the path \"{1}\" leads out of the folder."), place, path.string());
  return path.string();
}

double rounded(double value) { return std::round(value * 1e6) / 1e6; }

}  // namespace

Json row_json(const Row& row) {
  Json defects = Json::array();
  for (const Defect& d : row.defects) {
    Json settings = Json::object();
    for (const auto& [name, text] : d.settings) settings[name] = text;
    defects.push_back({{"source", d.source},
                       {"mask", d.mask},
                       {"kind", d.kind},
                       {"x", d.x},
                       {"y", d.y},
                       {"settings", settings},
                       {"box", {d.box.x, d.box.y, d.box.width, d.box.height}},
                       {"area", d.area},
                       {"runs", d.runs},
                       {"contrast", rounded(d.measures.contrast)},
                       {"share", rounded(d.measures.share)},
                       {"leak", rounded(d.measures.leak)},
                       {"border", d.measures.border > 0}});
  }
  Json out = {{"index", row.index},        {"split", row.split},     {"target", row.target}, {"width", row.size.width},
              {"height", row.size.height}, {"picture", row.picture}, {"label", row.label},   {"instances", row.instances},
              {"tries", row.tries},        {"defects", defects}};
  if (!row.error.empty()) out["error"] = row.error;
  return out;
}

Row parse_row(const Json& line, const std::string& place) try {
  Row row;
  row.index = line.at("index").get<std::size_t>();
  row.split = line.at("split").get<std::string>();
  row.target = line.at("target").get<std::string>();
  row.size = {line.at("width").get<int>(), line.at("height").get<int>()};
  row.picture = path_inside(line.at("picture"), place);
  row.label = path_inside(line.at("label"), place);
  row.instances = path_inside(line.at("instances"), place);
  row.tries = line.at("tries").get<int>();
  row.error = line.value("error", "");
  for (const Json& one : line.at("defects")) {
    Defect d;
    d.source = one.at("source").get<std::string>();
    d.mask = one.at("mask").get<std::string>();
    d.kind = one.at("kind").get<std::string>();
    d.x = one.at("x").get<double>();
    d.y = one.at("y").get<double>();
    for (const auto& [name, text] : one.at("settings").items()) d.settings.emplace_back(name, text.get<std::string>());
    const auto box = one.at("box").get<std::vector<int>>();
    if (box.size() != 4) throw error(Error::Kind::input, _("{0}: a box is four numbers."), place);
    d.box = {box[0], box[1], box[2], box[3]};
    d.area = one.at("area").get<int>();
    d.runs = one.at("runs").get<std::string>();
    d.measures = {one.at("contrast").get<double>(), one.at("share").get<double>(), one.at("leak").get<double>(),
                  one.at("border").get<bool>() ? 1.0 : 0.0};
    row.defects.push_back(std::move(d));
  }
  return row;
} catch (const nlohmann::json::exception& e) {
  throw error(Error::Kind::input, _("{0} is not a valid line of a manifest: {1}"), place, e.what());
}

std::string kind_of(const Row& row) {
  if (row.defects.empty()) return "good";
  for (const Defect& d : row.defects)
    if (d.kind != row.defects[0].kind) return "combined";
  return row.defects[0].kind;
}

}  // namespace geometry_transfer::cli
