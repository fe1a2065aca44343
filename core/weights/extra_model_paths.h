// SPDX-License-Identifier: GPL-3.0-or-later
/// ComfyUI's extra_model_paths.yaml: where its user keeps models, outside of ComfyUI's own folder.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace geometry_transfer {

/// Returns true if `path` has the name of a YAML file (.yaml, .yml).
bool is_yaml_name(const std::filesystem::path& path);

/// The absolute folders that `file` lists as `checkpoints` and `diffusers`, section by section, with its `base_path`
/// before them. `home` stands for a leading `~`. A relative path starts at the file's folder. Folders need not exist.
/// Throws Error (model) with file and line for what is not such a list, and for more than 100 folders or 256 kB.
std::vector<std::filesystem::path> read_extra_model_paths(const std::filesystem::path& file, const std::filesystem::path& home);
/// The same for text in memory; `file` is for messages and relative paths.
std::vector<std::filesystem::path> parse_extra_model_paths(const char* text, std::size_t size, const std::filesystem::path& file,
                                                           const std::filesystem::path& home);

/// `path` with a leading `~` replaced by `home`, as a shell does. Other users' homes (`~name`) stay as they are.
std::filesystem::path with_home(const std::string& path, const std::filesystem::path& home);

}  // namespace geometry_transfer
