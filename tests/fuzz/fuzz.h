// SPDX-License-Identifier: GPL-3.0-or-later
/// Shared by the fuzz targets. A target may throw Error, which is a refusal, and nothing else.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "geometry-transfer/error.h"

namespace geometry_transfer::fuzz {

/// The input as a file in memory.
class MemoryFile {
 public:
  MemoryFile(const void* data, std::size_t size) : file_(memfd_create("fuzz", MFD_CLOEXEC)) {
    if (file_ < 0 || write(file_, data, size) != static_cast<ssize_t>(size)) std::abort();
  }
  ~MemoryFile() { close(file_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  int file_;
};

template <class Action>
void refusing(Action action) {
  try {
    action();
  } catch (const Error& e) {
    if (std::string(e.what()).empty()) std::abort();  // a refusal must have a reason
  }
}

/// Keeps the optimiser from removing reads.
inline void touch(const std::byte* data, std::size_t size) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += std::to_integer<unsigned>(data[i]);
  static volatile unsigned sink;
  sink = sum;
}

}  // namespace geometry_transfer::fuzz
