// SPDX-License-Identifier: GPL-3.0-or-later
/// Times the stages of one transfer into its Report and tells the progress callback; throws Cancelled when that says stop.
#pragma once

#include <chrono>
#include <optional>

#include "geometry-transfer/error.h"
#include "geometry-transfer/progress.h"

namespace geometry_transfer {

class StageClock {
 public:
  StageClock(const ProgressCallback& progress, Report& report) : progress_(progress), report_(report), started_(now()) {}
  ~StageClock();
  StageClock(const StageClock&) = delete;
  StageClock& operator=(const StageClock&) = delete;

  /// Ends the stage before and begins this one.
  void enter(Stage stage);
  /// `step` of `steps` of the stage are done.
  void step(int step, int steps);
  /// Says again how far it is: asks whether to stop.
  void ask() { tell(step_, steps_); }
  /// The stage that runs.
  Stage stage() const { return stage_.value_or(Stage::read); }

 private:
  using Time = std::chrono::steady_clock::time_point;
  static Time now() { return std::chrono::steady_clock::now(); }
  void leave();
  void tell(int step, int steps);

  const ProgressCallback& progress_;
  Report& report_;
  Time started_, entered_;
  std::optional<Stage> stage_;
  int step_ = 0, steps_ = 0;
};

}  // namespace geometry_transfer
