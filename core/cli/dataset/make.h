// SPDX-License-Identifier: GPL-3.0-or-later
/// Makes one picture of a data set after the other, from the plan to the files. Several threads may use one Maker.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cli/dataset/plan.h"
#include "cli/loaded_reference.h"
#include "geometry-transfer/transfer.h"
#include "request/cache.h"

namespace geometry_transfer::cli {

class Maker {
 public:
  /// The plan is borrowed.
  ///   base   the request that the drawn values are set in
  ///   stop   asked while a picture is read or edited; once it is true, these throw Cancelled
  Maker(const Plan& plan, const DatasetOptions& options, const Request& base, const StopRequested& stop);

  /// Reads a source or a target. Throws Error if it cannot be read, or if no source fits on the target.
  void check_source(const SourceFiles& files);
  void check_target(const TargetFiles& files);

  /// Draws, edits and writes the picture. A row whose `error` is not empty has no files. Throws Error (system) if
  /// nothing can be written at all.
  Row make(std::size_t index);
  /// Makes a row again as it was drawn.
  Row make_again(Row row);

 private:
  using Source = std::shared_ptr<const LoadedReference>;
  struct Target {
    Picture picture;
    cv::Mat place, avoid;
  };
  Source source(const std::string& colour, const std::string& mask);
  std::shared_ptr<const Target> target(const TargetFiles& files);

  /// Chooses sources, settings and places; empty if one finds no place.
  bool draw(Row& row, const Target& target, Random& random);
  /// Edits the row's defects onto `picture` and fills in what came out. `instances`: see label_files.
  void edit(Row& row, Picture& picture, cv::Mat& instances);
  Layer layer_of(const Scene& scene, const Request& request);
  void write(const Row& row, const Picture& picture, const cv::Mat& instances);

  const Plan& plan_;
  const StopRequested stop_;
  const DatasetOptions options_;
  const Request base_;
  std::vector<Condition> keep_;
  Cache<LoadedReference> sources_;
  Cache<Target> targets_;
  std::mutex model_;  // a session runs one request at a time
  Session session_;
  double smallest_ = 1e9;  // pixels of the shorter side that a source takes at its smallest scale
  std::mutex smallest_mutex_;
};

}  // namespace geometry_transfer::cli
