// SPDX-License-Identifier: GPL-3.0-or-later
/// A file mapped read-only for as long as the object lives.
///
/// A mapping follows its file. Downloaders that write beside the file and rename over it do no harm: the mapping keeps
/// the old file. When another program cuts the file short, or its drive goes away, touching the lost pages raises
/// SIGBUS, which would end the process. Two guards stand before that:
///   check() throws if size or time of the file has changed; call it before reading;
///   a handler of SIGBUS, installed with the first mapping, puts zeros in place of the lost pages of our mappings and
///   marks the mapping as damaged, so that a computation ends and its result is thrown away
///   (require_intact_mappings()). Other SIGBUS signals go to the previous handler, or end the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace geometry_transfer {

class MappedFile {
 public:
  /// Throws Error (model) if the file cannot be mapped, is empty or not a regular file, or if 4096 files are mapped
  /// already.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  const std::byte* data() const { return data_; }
  std::uint64_t size() const { return size_; }
  /// Throws Error (model) if the file was changed since it was opened, or if pages of it were lost.
  void check() const;
  /// Device, inode, size, and times of the last change of content and of inode. A file with the same identity has the
  /// same content: who sets the first time back changes the second. Empty if the last change is younger than two
  /// seconds, because another one could get the same time (FAT counts in such steps).
  std::string identity() const;
  /// Frees the memory of the whole pages in this range. A later access reads the file again.
  void forget(const std::byte* data, std::uint64_t size) const;

 private:
  std::string path_;
  int file_ = -1;
  const std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
  std::int64_t modified_s_ = 0, modified_ns_ = 0;
  int watch_ = -1;  // index in the handler's table; -1 only during construction
};

/// Throws Error (model) that names the file if pages of any open mapping were lost. It is cheap: call it in every step
/// of a computation with mapped weights.
void require_intact_mappings();

}  // namespace geometry_transfer
