// SPDX-License-Identifier: GPL-3.0-or-later
/// An allocator that fails when a test says so. It replaces malloc and its relatives for the whole program, including
/// libraries. Include it in one source file of a test, because it defines them.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <string>

#include "geometry-transfer/error.h"

// glibc's own allocator, under names that stay when malloc is replaced.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define GT_FAILING_MALLOC
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
}
#endif

namespace geometry_transfer::test {

inline std::atomic<bool> armed{false}, fired{false}, for_good{false};
inline std::atomic<long> until{0};
inline std::atomic<std::size_t> smallest{0};

inline bool fails(std::size_t size) {
  if (!armed || size < smallest) return false;
  const long left = until--;
  if (left != 0 && !(for_good && left < 0)) return false;
  fired = true;
  errno = ENOMEM;
  return true;
}

}  // namespace geometry_transfer::test

#ifdef GT_FAILING_MALLOC
extern "C" {
void* malloc(size_t size) { return geometry_transfer::test::fails(size) ? nullptr : __libc_malloc(size); }
void* calloc(size_t count, size_t size) {
  return geometry_transfer::test::fails(count * size) ? nullptr : __libc_calloc(count, size);
}
void* realloc(void* old, size_t size) { return geometry_transfer::test::fails(size) ? nullptr : __libc_realloc(old, size); }
void* memalign(size_t to, size_t size) { return geometry_transfer::test::fails(size) ? nullptr : __libc_memalign(to, size); }
void* aligned_alloc(size_t to, size_t size) { return memalign(to, size); }
int posix_memalign(void** out, size_t to, size_t size) noexcept {
  void* memory = memalign(to, size);
  if (!memory) return ENOMEM;
  *out = memory;
  return 0;
}
}
#endif

namespace geometry_transfer::test {

/// Runs `work` and fails allocation number `which` of at least `size` bytes, or all from it on. Returns 'd' done, 'e'
/// Error, 'm' bad_alloc.
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

}  // namespace geometry_transfer::test
