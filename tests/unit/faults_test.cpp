// SPDX-License-Identifier: GPL-3.0-or-later
/// Runs the image part with an allocator that fails: each allocation once, and all large ones from one on. Each failure
/// must give an Error with the way out. The next transfer must give the same bytes.
#include <gtest/gtest.h>

#include "../tools/failing_malloc.h"
#include "scene_on_mats.h"

namespace geometry_transfer {
namespace {

using test::Dent;
using test::fired;
using test::outcome;

class Faults : public ::testing::Test {
 protected:
  void SetUp() override {
#ifndef GT_FAILING_MALLOC
    GTEST_SKIP() << "the allocator is the sanitizer's";
#endif
    expected_ = run();
    expected_ = run();  // libraries allocate here what they never free
  }
  std::vector<float> run() {
    Report report;
    return image_part().edit(dent_.scene, {}, nullptr, report).rgba;
  }
  /// Fails allocations of at least `size` bytes, one or all in each run.
  void sweep(std::size_t size, bool all, int step) {
    int errors = 0;
    for (long which = 0;; which += step) {
      std::vector<float> got;
      const char how = outcome(which, size, all, [&] { got = run(); });
      if (!fired) break;
      ASSERT_NE(how, '?') << "allocation " << which;
      if (how == 'd') {
        ASSERT_EQ(got, expected_) << "allocation " << which;
      }
      if (how == 'e') ++errors;
      ASSERT_LT(which, 1000000);
      if (which % (step * 16) == 0) {
        ASSERT_EQ(run(), expected_) << "after " << which;
      }
    }
    EXPECT_GT(errors, 10);
    EXPECT_EQ(run(), expected_);
    RecordProperty("errors", errors);
  }
  Dent dent_{{72, 64}, {36, 32}, 14};
  std::vector<float> expected_;
};

TEST_F(Faults, EveryPictureThatFindsNoRoomIsAnErrorWithTheWayOut) { sweep(4096, false, 1); }

TEST_F(Faults, NoRoomFromThereOn) { sweep(4096, true, 1); }

TEST_F(Faults, NoAllocationHoweverSmallEndsTheProcess) { sweep(1, false, 3); }

TEST_F(Faults, AViewThatFindsNoRoom) {
  for (long which = 0;; ++which) {
    const char how = outcome(which, 4096, false, [&] { image_part().preview(dent_.scene, {64, 48})->render({}); });
    if (!fired) break;
    ASSERT_NE(how, '?') << which;
  }
  EXPECT_EQ(run(), expected_);
}

}  // namespace
}  // namespace geometry_transfer
