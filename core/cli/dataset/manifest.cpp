// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/dataset/manifest.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

namespace fs = std::filesystem;

std::string line_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json head_json(const Head& head) {
  Json out = Json::array();
  for (const LeftOut& one : head.left_out) out.push_back({{"file", one.file}, {"why", one.why}});
  return {{"geometry-transfer", "data set"},
          {"version", 1},
          {"format", head.format},
          {"kinds", head.kinds},
          {"count", head.count},
          {"left_out", out},
          {"options", head.options}};
}

Head parse_head(const Json& json, const std::string& path) try {
  Head head;
  if (json.at("geometry-transfer") != "data set" || json.at("version") != 1)
    throw error(Error::Kind::input, _("\"{0}\" is no manifest of a data set."), path);
  head.format = json.at("format").get<std::string>();
  head.kinds = json.at("kinds").get<std::vector<std::string>>();
  head.count = json.at("count").get<std::size_t>();
  for (const Json& one : json.at("left_out")) head.left_out.push_back({one.at("file"), one.at("why")});
  head.options = json.at("options");
  return head;
} catch (const nlohmann::json::exception&) {
  throw error(Error::Kind::input, _("\"{0}\" is no manifest of a data set."), path);
}

/// A manifest as far as it goes: a last line that was cut off is left out. Nothing where there is no file.
std::optional<Manifest> read_lines(const std::string& path, bool may_be_cut) {
  std::ifstream in(path);
  if (!in) return std::nullopt;
  Manifest manifest;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    const Json json = Json::parse(line, nullptr, false);
    if (may_be_cut && (json.is_discarded() || in.eof())) break;  // every whole line ends with a new line
    if (number == 1)
      manifest.head = parse_head(json, path);
    else
      manifest.rows.push_back(parse_row(json, fmt::format("{}:{}", path, number)));
    if (number == 1 && json.is_discarded()) return std::nullopt;
  }
  return manifest;
}

}  // namespace

Json options_json(const DatasetOptions& o) {
  Json settings = Json::object();
  for (const auto& [name, text] : o.settings)
    if (name != "threads" && name != "memory") settings[name] = text;
  return {{"variants", o.variants}, {"good", o.good},      {"seed", o.seed},   {"target", o.target},   {"source", o.source},
          {"mask", o.mask},         {"place", o.place},    {"avoid", o.avoid}, {"weights", o.weights}, {"kind", o.kind},
          {"defects", o.defects},   {"split", o.split},    {"keep", o.keep},   {"border", o.border},   {"apart", o.apart},
          {"tries", o.tries},       {"settings", settings}};
}

Manifest read_manifest(const std::string& path) {
  auto manifest = read_lines(path, false);
  if (!manifest) throw error(Error::Kind::input, _("\"{0}\" cannot be opened: {1}."), path, std::strerror(errno));
  std::vector<Row>& rows = manifest->rows;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].index != i) throw error(Error::Kind::input, _("\"{0}\" lacks the picture {1}."), path, i);
  if (rows.empty() || rows.size() != manifest->head.count)
    throw error(Error::Kind::input, _("\"{0}\" has {1} pictures, but its first line says {2}."), path, rows.size(),
                manifest->head.count);
  return *manifest;
}

NewFile manifest_file(const std::string& path, const Head& head, const std::vector<Row>& rows) {
  std::string text = line_of(head_json(head));
  for (const Row& row : rows) text += line_of(row_json(row));
  return {path, {text.begin(), text.end()}};
}

std::string ManifestFiles::whole() const { return (fs::path(folder_) / "manifest.jsonl").string(); }

std::string ManifestFiles::of(int shard) const {
  return (fs::path(folder_) / fmt::format("manifest-{}-of-{}.jsonl", shard, shard_.second)).string();
}

std::optional<std::vector<Row>> ManifestFiles::gathered(const Head& head) const {
  std::vector<Row> all(head.count);
  std::size_t count = 0;
  for (int shard = 1; shard <= shard_.second; ++shard) {
    const auto manifest = read_lines(shard_.second == 1 ? whole() : of(shard), false);
    if (!manifest || head_json(manifest->head) != head_json(head)) return std::nullopt;
    for (const Row& row : manifest->rows) {
      if (row.index >= all.size()) return std::nullopt;
      all[row.index] = row;
      ++count;
    }
  }
  if (count != head.count) return std::nullopt;
  return all;
}

PartFile::PartFile(const std::string& part, const std::string& finished, const Head& head)
    : part_(part), finished_(finished), head_(head) {
  for (const std::string& path : {finished, part}) {
    const auto there = read_lines(path, path == part);
    if (!there || (there->rows.empty() && there->head.format.empty())) continue;
    if (head_json(there->head) != head_json(head))
      throw error(Error::Kind::input, _("\"{0}\" belongs to another data set: choose another folder, or remove the file."), path);
    for (const Row& row : there->rows)
      if (row.error.empty()) rows_.push_back(row);
  }
  file_ = std::fopen(part_.c_str(), "w");
  if (!file_) throw error(Error::Kind::system, _("\"{0}\" cannot be written: {1}."), part_, std::strerror(errno));
  put(line_of(head_json(head_)));
  for (const Row& row : rows_) put(line_of(row_json(row)));
}

PartFile::~PartFile() {
  if (file_) std::fclose(file_);
}

void PartFile::put(const std::string& line) {
  if (std::fwrite(line.data(), 1, line.size(), file_) != line.size() || std::fflush(file_) != 0)
    throw error(Error::Kind::system, _("\"{0}\" cannot be written: {1}."), part_, std::strerror(errno));
}

void PartFile::add(const Row& row) { put(line_of(row_json(row))); }

void PartFile::finish(const std::vector<Row>& rows) {
  write_files({manifest_file(finished_, head_, rows)});
  std::remove(part_.c_str());
}

}  // namespace geometry_transfer::cli
