// SPDX-License-Identifier: GPL-3.0-or-later
/// The header of a safetensors file, parsed and checked. Separate from the file so that it can be tested and fuzzed on
/// bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace geometry_transfer {

struct SafetensorsEntry {
  std::string dtype;  ///< as written: "F16"
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;  ///< bytes from the start of the file
};

/// `data`, `size`: the whole file; only its header is read. Throws Error (model) with `path` in the message.
std::map<std::string, SafetensorsEntry> read_safetensors_header(const std::byte* data, std::uint64_t size,
                                                                const std::string& path);

}  // namespace geometry_transfer
