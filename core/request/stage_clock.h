// SPDX-License-Identifier: GPL-3.0-or-later
/// Times the stages of one transfer in its Report, and calls the progress callback. Throws Cancelled if the callback
/// returns false.
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

  /// Ends the previous stage and begins this one.
  void enter(Stage stage);
  /// Reports that `step` of `steps` of the stage are done.
  void step(int step, int steps);
  /// Repeats the last report, so that the user can cancel.
  void ask() { tell(step_, steps_); }
  /// Returns the current stage.
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
