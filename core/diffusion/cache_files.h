// SPDX-License-Identifier: GPL-3.0-or-later
/// Small files in $XDG_CACHE_HOME/geometry-transfer: read with a limit, replaced whole. Nothing here throws.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace geometry_transfer {

/// A 64-bit hash, eight bytes at a time (the finaliser of splitmix64). It finds accidental damage, not attacks.
class Hash {
 public:
  explicit Hash(std::uint64_t seed) : state_(seed) {}
  void add(const void* data, std::size_t size) {
    const char* bytes = static_cast<const char*>(data);
    for (std::size_t at = 0; at < size; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + at, std::min<std::size_t>(8, size - at));
      mix(word);
    }
    mix(size);
  }
  void add(const std::string& text) { add(text.data(), text.size()); }
  void add(std::int64_t number) { mix(static_cast<std::uint64_t>(number)); }
  std::uint64_t value() const { return state_; }

 private:
  void mix(std::uint64_t word) {
    std::uint64_t z = state_ ^ word;
    z = (z + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 30) * 0x94d049bb133111ebu;
    state_ = z ^ z >> 31;
  }
  std::uint64_t state_;
};

/// Returns the folder, and makes it if it is not there. Empty if the user has none, or if it cannot be made.
std::string make_cache_folder();

/// 16 hexadecimal digits.
std::string hex(std::uint64_t number);

/// The file's content; empty if there is none, it is longer than `limit` bytes, or no regular file.
std::string read_cache_file(const std::string& name, std::uintmax_t limit);
/// Writes a temporary file and renames it. Removes temporary files that are older than a day. A file that cannot be
/// written is no error, only slower next time.
void write_cache_file(const std::string& name, const std::string& bytes);

}  // namespace geometry_transfer
