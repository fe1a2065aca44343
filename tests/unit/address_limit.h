// SPDX-License-Identifier: GPL-3.0-or-later
/// Limits the address space of the process for a while.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <cstdio>

namespace geometry_transfer::test {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kShadowed = true;  // the sanitizer reserves terabytes of addresses
#else
inline constexpr bool kShadowed = false;
#endif

/// Limits the address space to this much above its present size, for a scope.
class Addresses {
 public:
  explicit Addresses(std::uint64_t more) {
    getrlimit(RLIMIT_AS, &before_);
    std::uint64_t pages = 0;
    if (FILE* in = std::fopen("/proc/self/statm", "r")) {
      unsigned long read = 0;
      if (std::fscanf(in, "%lu", &read) == 1) pages = read;
      std::fclose(in);
    }
    rlimit now = before_;
    now.rlim_cur = pages * 4096 + more;
    setrlimit(RLIMIT_AS, &now);
  }
  ~Addresses() { setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

}  // namespace geometry_transfer::test
