// SPDX-License-Identifier: GPL-3.0-or-later
/// A file mapped read-only for as long as the object lives.
///
/// A mapping follows its file: when another program cuts the file short, touching the lost pages raises SIGBUS. Downloaders that
/// write beside the file and rename over it do no harm, because the mapping keeps the old file. check() finds the rest before
/// the bytes are touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace geometry_transfer {

class MappedFile {
 public:
  /// Throws Error (model) when it cannot be read, is empty, or is not a regular file.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  const std::byte* data() const { return data_; }
  std::uint64_t size() const { return size_; }
  /// Throws Error (model) when the file was changed since it was opened.
  void check() const;

 private:
  std::string path_;
  int file_ = -1;
  const std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
  std::int64_t modified_s_ = 0, modified_ns_ = 0;
};

}  // namespace geometry_transfer
