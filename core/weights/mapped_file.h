// SPDX-License-Identifier: GPL-3.0-or-later
/// A file mapped read-only for as long as the object lives.
///
/// A mapping follows its file. Downloaders that write beside the file and rename over it do no harm: the mapping keeps the old
/// file. When another program cuts the file short, or its drive goes away, touching the lost pages raises SIGBUS, which would end
/// the process. Two guards stand before that:
///   check() compares the file with what was opened; whoever is about to read bytes calls it first;
///   a handler of SIGBUS, installed with the first mapping, puts zeros in place of the lost pages of our mappings and marks the
///   mapping as damaged, so that a computation ends and its result is thrown away (require_intact_mappings()). A SIGBUS elsewhere
///   goes on to whoever handled it before, or ends the process as ever.
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
  /// Throws Error (model) when the file was changed since it was opened, or pages of it were lost.
  void check() const;
  /// Gives the memory of these bytes back, as far as whole pages go; reading them again reads the file again.
  void forget(const std::byte* data, std::uint64_t size) const;

 private:
  std::string path_;
  int file_ = -1;
  const std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
  std::int64_t modified_s_ = 0, modified_ns_ = 0;
  int watch_ = -1;  // its place in the handler's table; -1: the table was full
};

/// Throws Error (model) that names the file when pages of any open mapping were lost. Cheap: for every step of a computation
/// whose weights are mapped.
void require_intact_mappings();

}  // namespace geometry_transfer
