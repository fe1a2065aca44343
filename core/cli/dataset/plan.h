// SPDX-License-Identifier: GPL-3.0-or-later
/// The plan of a data set: which target and which sources each picture takes. It depends on the options and the inputs
/// only, so every process that has them makes the same pictures.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/dataset/formats.h"
#include "cli/dataset/inputs.h"
#include "cli/dataset/measure.h"
#include "cli/dataset/random.h"
#include "cli/dataset/spread.h"

namespace geometry_transfer::cli {

/// As typed.
struct DatasetOptions {
  int variants = 0;  ///< pictures with defects; 0: no data set is asked for
  int good = -1;     ///< additional pictures without defects; below 0: none, or one of each target with MVTec
  unsigned long long seed = 0;
  std::string target, source, mask, output;  ///< files or folders; output is a folder
  std::string place, avoid, weights, kind = "defect", format = "plain", defects = "1", split;
  std::string manifest;           ///< rows to make again, instead of drawing
  std::vector<std::string> keep;  ///< conditions on measures
  int border = 0, apart = 8, tries = 20;
  std::pair<int, int> shard{1, 1};  ///< this process's part of how many
  Settings settings;                ///< parameters, each a value or a range
  bool is_asked() const { return variants > 0 || !manifest.empty(); }
};

/// A source or target that cannot be used, and why.
struct LeftOut {
  std::string file, why;
};

class Plan {
 public:
  /// Reads the folders, not the pictures. Throws Error (input) if an option is wrong.
  explicit Plan(const DatasetOptions& options);
  /// The plan of a manifest has its format and kinds only.
  Plan(const DatasetOptions& options, std::vector<std::string> kinds);

  const std::vector<SourceFiles>& sources() const { return sources_; }
  const std::vector<TargetFiles>& targets() const { return targets_; }
  const Spreads& spreads() const { return spreads_; }
  /// Removes unusable inputs and divides the rest into splits. Throws Error (input) if too little is left.
  void divide(const std::vector<LeftOut>& left_out);

  /// Rows: first those with defects, then those without.
  std::size_t count() const;
  bool is_good(std::size_t index) const { return index >= static_cast<std::size_t>(options_.variants); }
  /// Returns the name of the picture's split.
  std::string split_of(std::size_t index) const;
  const TargetFiles& target_of(std::size_t index) const;
  /// Returns the source of the defect number `slot` of the picture. Sources come in turn, each round in a new order.
  /// With weights they are drawn.
  const SourceFiles& source_of(std::size_t index, std::size_t slot, Random& random) const;
  /// How many defects a picture has at least and at most.
  std::pair<int, int> defects() const { return defects_; }
  /// Names of all kinds, sorted.
  const std::vector<std::string>& kinds() const { return kinds_; }
  bool has_splits() const { return splits_.size() > 1; }
  DatasetFormat format() const { return format_; }

 private:
  struct Split {
    std::string name;
    double share = 0;
    std::size_t first = 0, end = 0;  ///< rows with defects
    std::vector<TargetFiles> targets;
    std::vector<SourceFiles> sources;
  };
  const Split& of(std::size_t index) const;
  bool is_mvtec() const { return format_ == DatasetFormat::mvtec; }
  /// Removes unusable inputs, and collects the kinds of the others. Throws Error (input) if none is left.
  void remove(const std::vector<LeftOut>& left_out);
  /// Makes the splits with their targets, in random order.
  void divide_targets(Random& random);
  /// Divides the sources of each kind among the splits. With MVTec all go to the test.
  void divide_sources(Random& random);
  /// Divides the rows with defects among the splits. With MVTec all go to the test.
  void divide_variants();
  std::size_t goods() const;

  DatasetOptions options_;
  DatasetFormat format_;
  std::pair<int, int> defects_{1, 1};
  Spreads spreads_;
  std::vector<SourceFiles> sources_;
  std::vector<TargetFiles> targets_;
  std::vector<Split> splits_;
  std::vector<std::pair<const TargetFiles*, std::string>> bare_;  ///< targets with their splits, for pictures without defects
  std::vector<std::string> kinds_;
};

}  // namespace geometry_transfer::cli
