// SPDX-License-Identifier: GPL-3.0-or-later
/// The image part with an allocator that fails: each allocation once, and all large ones from each on. What comes out is an Error
/// with the way out, and the next transfer gives the same bytes as ever.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

#include "geometry-transfer/error.h"
#include "scene_on_mats.h"

// glibc's own, under the names that stay when malloc and the others are replaced, as here.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define GT_FAILING_MALLOC
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
}
#endif

namespace {

std::atomic<bool> armed{false}, fired{false}, for_good{false};
std::atomic<long> until{0};
std::atomic<std::size_t> smallest{0};

}  // namespace

#ifdef GT_FAILING_MALLOC
namespace {

bool fails(std::size_t size) {
  if (!armed || size < smallest) return false;
  const long left = until--;
  if (left != 0 && !(for_good && left < 0)) return false;
  fired = true;
  errno = ENOMEM;
  return true;
}

}  // namespace

extern "C" {
void* malloc(size_t size) { return fails(size) ? nullptr : __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return fails(count * size) ? nullptr : __libc_calloc(count, size); }
void* realloc(void* old, size_t size) { return fails(size) ? nullptr : __libc_realloc(old, size); }
void* memalign(size_t to, size_t size) { return fails(size) ? nullptr : __libc_memalign(to, size); }
void* aligned_alloc(size_t to, size_t size) { return memalign(to, size); }
int posix_memalign(void** out, size_t to, size_t size) {
  void* made = memalign(to, size);
  if (!made) return ENOMEM;
  *out = made;
  return 0;
}
}
#endif

namespace geometry_transfer {
namespace {

using test::Dent;

/// Fails allocation number `which` of at least `size` bytes, or all from it on; the outcome: 'd' done, 'e' Error, 'm' bad_alloc.
template <class Work>
char outcome(long which, std::size_t size, bool all, Work work) {
  until = which, smallest = size, for_good = all, fired = false;
  armed = true;
  char how = 'd';
  try {
    work();
  } catch (const Error& e) {
    armed = false;
    how = e.kind() == Error::Kind::system && std::string(e.what()).find("memory") != std::string::npos ? 'e' : '?';
  } catch (const std::bad_alloc&) {
    how = 'm';
  } catch (const std::exception& e) {
    armed = false;
    ADD_FAILURE() << "allocation " << which << ": " << e.what();
    how = '?';
  }
  armed = false;
  return how;
}

class Faults : public ::testing::Test {
 protected:
  void SetUp() override {
#ifndef GT_FAILING_MALLOC
    GTEST_SKIP() << "the allocator is the sanitizer's";
#endif
    expected_ = run();
    expected_ = run();  // what libraries keep for good is there now
  }
  std::vector<float> run() {
    Report report;
    return image_part().edit(dent_.scene, {}, nullptr, report).rgba;
  }
  /// All allocations of at least `size`, one a run.
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
