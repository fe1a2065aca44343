// SPDX-License-Identifier: GPL-3.0-or-later
/// Files that are written completely or not at all.
#pragma once

#include <string>
#include <vector>

namespace geometry_transfer::cli {

struct NewFile {
  std::string path;
  std::vector<unsigned char> bytes;
};

/// Throws Error if a file cannot be written at `path`. Called before any work.
void check_place(const std::string& path);

/// The file that a path leads to through symbolic links, which need not exist. Throws Error for a loop of links.
std::string resolve_links(const std::string& path);

/// Writes each file under a temporary name beside it, then renames. If one cannot be renamed, those before it are taken
/// back. An existing file keeps its mode; a symbolic link stays and the file it leads to is written. A pipe or a device
/// is written into and not replaced. Throws Error.
void write_files(const std::vector<NewFile>& files);
void write_file(const std::string& path, const std::vector<unsigned char>& bytes);

}  // namespace geometry_transfer::cli
