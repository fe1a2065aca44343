// SPDX-License-Identifier: GPL-3.0-or-later
/// Reads untrusted JSON. Limits size, depth and number of values, and refuses duplicate keys. Every failure is an Error
/// that names the file.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

namespace geometry_transfer {

using Json = nlohmann::json;

/// The object in `text`. `path` is for messages. Throws Error (model).
Json parse_json_object(const char* text, std::size_t size, const std::string& path);
/// The object in the file, at most `limit` bytes long. Throws Error (model).
Json read_json_object(const std::string& path, std::size_t limit);

}  // namespace geometry_transfer
