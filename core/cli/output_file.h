// SPDX-License-Identifier: GPL-3.0-or-later
/// Files that are written whole or not at all.
#pragma once

#include <string>
#include <vector>

namespace geometry_transfer::cli {

struct NewFile {
  std::string path;
  std::vector<unsigned char> bytes;
};

/// Refuses a folder or a name that cannot be written, before any work is done. Throws Error, as all here.
void check_place(const std::string& path);

/// Writes beside each path, then renames: all are whole or as they were, and their modes stay. A pipe or a device that is there
/// is written to as it is.
void write_files(const std::vector<NewFile>& files);
void write_file(const std::string& path, const std::vector<unsigned char>& bytes);

}  // namespace geometry_transfer::cli
