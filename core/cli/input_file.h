// SPDX-License-Identifier: GPL-3.0-or-later
/// Regular files that are read whole.
#pragma once

#include <cstdint>
#include <string>

#include "cli/picture.h"

namespace geometry_transfer::cli {

/// An open file. The constructor never waits: a pipe, a device or a folder is refused. Throws Error (input) with the
/// path.
class InputFile {
 public:
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;

  std::uint64_t size() const { return size_; }
  /// The first `size` bytes, or fewer at the end of the file. Throws Cancelled when stopped.
  Bytes read(std::uint64_t size, const StopRequested& stop) const;

 private:
  const std::string path_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace geometry_transfer::cli
