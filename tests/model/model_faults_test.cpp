// SPDX-License-Identifier: GPL-3.0-or-later
/// Loads a model and runs a transfer with it while the allocator fails. One allocation of a tensor fails in each run,
/// or all from one on. Each stage must give an Error with the way out, and the next transfer the same bytes. Small
/// allocations do not fail, because oneDNN does not check its own of a few hundred bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "../tools/failing_malloc.h"
#include "../unit/scene_on_mats.h"

namespace geometry_transfer {
namespace {

using test::Dent;
using test::fired;
using test::outcome;

class ModelFaults : public ::testing::Test {
 protected:
  ModelFaults() {
    request_.model = std::string(std::getenv("SOURCE")) + "/tests/golden/sd15";  // the smallest
    request_.threads = 2;
    request_.precision = Precision::fp32;
    request_.correction = 1;
  }
  void SetUp() override {
#ifndef GT_FAILING_MALLOC
    GTEST_SKIP() << "the allocator is the sanitizer's";
#endif
    expected_ = run();
    expected_ = run();  // libraries allocate here what they never free
  }
  /// Loads the model if `session_` has none.
  std::vector<float> run() {
    Report report;
    const auto stages = [this](const Progress& now) {
      stage_ = now.stage;
      return true;
    };
    return session_.run(dent_.scene, request_, stages, report).rgba;
  }
  /// Returns the largest difference to the expected bytes, and prints it unless it is 0.
  float off(const std::vector<float>& got) const {
    if (got.size() != expected_.size()) return 1;
    float most = 0;
    int values = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      values += got[i] != expected_[i];
      most = std::max(most, std::abs(got[i] - expected_[i]));
    }
    if (values > 0) std::printf("%d of %zu values differ, by %g at most\n", values, got.size(), most);
    return most;
  }
  /// Fails allocations of at least `size` bytes, each `step`-th in its own run, from the loading on. A short stage has
  /// few of them; their number depends on the processor's kernels. So other allocations are tried until an error came
  /// from every stage.
  void sweep(std::size_t size, bool all, int step) {
    const std::set<Stage> stages{Stage::load, Stage::encode, Stage::invert, Stage::generate, Stage::decode};
    std::set<Stage> ended_in;
    int errors = 0;
    for (int first = 0; first < step; first += (step + 3) / 4) {
      sweep(size, all, step, first, ended_in, errors);
      if (HasFatalFailure()) return;
      if (all || std::includes(ended_in.begin(), ended_in.end(), stages.begin(), stages.end())) break;
    }
    EXPECT_EQ(off(run()), 0);
    EXPECT_GT(errors, 20);
    if (!all) {
      EXPECT_TRUE(std::includes(ended_in.begin(), ended_in.end(), stages.begin(), stages.end()));
    }
    RecordProperty("errors", errors);
  }
  void sweep(std::size_t size, bool all, int step, long which, std::set<Stage>& ended_in, int& errors) {
    for (const long first = which;; which += step) {
      session_.release();
      std::vector<float> got;
      const char how = outcome(which, size, all, [&] { got = run(); });
      if (!fired) break;
      ASSERT_TRUE(how == 'd' || how == 'e') << "allocation " << which << ", " << how;
      if (how == 'd') {
        ASSERT_EQ(off(got), 0) << "allocation " << which;
      } else {
        ++errors;
        ended_in.insert(stage_);
      }
      if ((which - first) % (step * 16) == 0) {
        ASSERT_EQ(off(run()), 0) << "after " << which;
      }
    }
  }

  Dent dent_{{96, 80}, {48, 40}, 16};
  Request request_;
  Session session_;
  Stage stage_ = Stage::read;
  std::vector<float> expected_;
};

TEST_F(ModelFaults, ATensorThatFindsNoRoom) { sweep(8192, false, 29); }

TEST_F(ModelFaults, NoRoomFromThereOn) { sweep(8192, true, 113); }

}  // namespace
}  // namespace geometry_transfer
