// SPDX-License-Identifier: GPL-3.0-or-later
/// The manifest's files: read, written line by line while a run goes on, and gathered from shards.
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/dataset/plan.h"
#include "cli/dataset/row.h"
#include "cli/output_file.h"

namespace geometry_transfer::cli {

/// The manifest's first line: the whole set.
struct Head {
  std::string format;
  std::vector<std::string> kinds;
  std::size_t count = 0;  ///< of rows
  std::vector<LeftOut> left_out;
  Json options;  ///< all that decides what is drawn
};

struct Manifest {
  Head head;
  std::vector<Row> rows;
};

/// All that decides a data set, for its head. Paths are as they were typed.
Json options_json(const DatasetOptions& options);

/// Throws Error (input) with the line where the file is no manifest, or lacks rows.
Manifest read_manifest(const std::string& path);
NewFile manifest_file(const std::string& path, const Head& head, const std::vector<Row>& rows);

/// Names of a set's manifests.
class ManifestFiles {
 public:
  ManifestFiles(std::string folder, std::pair<int, int> shard) : folder_(std::move(folder)), shard_(shard) {}
  std::string whole() const;
  std::string own() const { return shard_.second == 1 ? whole() : of(shard_.first); }
  std::string part() const { return own() + ".part"; }
  /// Rows of all shards in order; none while one of them is not finished.
  std::optional<std::vector<Row>> gathered(const Head& head) const;

 private:
  std::string of(int shard) const;
  std::string folder_;
  std::pair<int, int> shard_;
};

/// The unfinished manifest of a run. A line is written after its picture.
class PartFile {
 public:
  /// Reads the earlier rows of the same set from `part` or `finished`. Throws Error (input) if the files belong to
  /// another set, (system) if nothing can be written.
  PartFile(const std::string& part, const std::string& finished, const Head& head);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  /// Returns the rows that exist already, without failed ones: those are tried again.
  const std::vector<Row>& rows() const { return rows_; }
  void add(const Row& row);
  /// Writes the finished manifest and removes the part.
  void finish(const std::vector<Row>& rows);

 private:
  void put(const std::string& line);
  std::string part_, finished_;
  Head head_;
  std::vector<Row> rows_;
  std::FILE* file_ = nullptr;
};

}  // namespace geometry_transfer::cli
