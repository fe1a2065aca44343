// SPDX-License-Identifier: GPL-3.0-or-later
#include "request/memory.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>

#include "request/text.h"

namespace geometry_transfer {
namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

/// Returns the number on the line "KEY 123" or "KEY: 123 kB" of a file, else `otherwise`.
std::uint64_t value_of(const std::string& file, const std::string& key, std::uint64_t otherwise) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.compare(0, key.size(), key) != 0 || line.size() <= key.size() ||
        (line[key.size()] != ' ' && line[key.size()] != ':'))
      continue;
    std::istringstream rest(line.substr(key.size() + 1));
    std::uint64_t value = 0;
    std::string unit;
    if (!(rest >> value)) return otherwise;
    rest >> unit;
    return unit == "kB" ? value * 1024 : value;
  }
  return otherwise;
}

/// Returns the number in a file. "max" or a missing file mean no limit.
std::uint64_t number_in(const std::string& file) {
  std::uint64_t value;
  return std::ifstream(file) >> value ? value : kNoLimit;
}

std::uint64_t minus(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

/// Returns the memory left in this process's control group and those above it (cgroup v2). The kernel can drop its
/// cache of files, so that counts as free.
std::uint64_t left_by_groups() {
  const std::string root = "/sys/fs/cgroup";
  std::string group;
  std::ifstream in("/proc/self/cgroup");
  for (std::string line; std::getline(in, line);)
    if (line.compare(0, 3, "0::") == 0) group = line.substr(3);
  std::uint64_t left = kNoLimit;
  for (;;) {
    const std::string folder = root + group;
    const std::uint64_t most = number_in(folder + "/memory.max"), now = number_in(folder + "/memory.current");
    if (most != kNoLimit && now != kNoLimit)
      left = std::min(left, minus(most, now) + value_of(folder + "/memory.stat", "inactive_file", 0));
    const auto slash = group.rfind('/');
    if (slash == std::string::npos) return left;
    group.erase(slash);
  }
}

std::uint64_t left_of_addresses() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kNoLimit;
  const std::uint64_t pages = number_in("/proc/self/statm");
  return pages == kNoLimit ? limit.rlim_cur : minus(limit.rlim_cur, pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
}

}  // namespace

std::uint64_t free_memory() {
  malloc_trim(0);
  const std::uint64_t machine = value_of("/proc/meminfo", "MemAvailable", kNoLimit);
  const std::uint64_t swap = machine == kNoLimit ? 0 : value_of("/proc/meminfo", "SwapFree", 0);
  return std::min({machine + swap, left_by_groups(), left_of_addresses()});
}

std::uint64_t peak_memory() { return value_of("/proc/self/status", "VmHWM", 0); }

std::string gigabytes(std::uint64_t bytes) { return fmt::format("{:.1f}", static_cast<double>(bytes) / 1e9); }

void keep_freed_memory() {
  if (std::getenv("MALLOC_MMAP_THRESHOLD_") || std::getenv("MALLOC_TRIM_THRESHOLD_") || std::getenv("GLIBC_TUNABLES")) return;
  mallopt(M_MMAP_THRESHOLD, 128 << 20);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

}  // namespace geometry_transfer
