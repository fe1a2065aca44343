// SPDX-License-Identifier: GPL-3.0-or-later
/// Which pictures a data set is made of, from the files and folders that were named.
#pragma once

#include <string>
#include <vector>

namespace geometry_transfer::cli {

struct SourceFiles {
  std::string colour, mask;
  std::string kind;   ///< name of its class: its folder's inside the sources' folder, or the one given for all
  double weight = 1;  ///< how often it is drawn against the others, > 0
};

struct TargetFiles {
  std::string colour;
  std::string place, avoid;  ///< white: where geometry may lie, and where it may not; empty: no such file
};

/// `source`: a picture (`mask` is then its mask) or a folder of pictures. In a folder, the mask of NAME.* is
///   NAME.* in `mask`, where that is a folder; otherwise NAME_mask.* or NAME-mask.* beside it.
/// A subfolder's name is the class of its pictures. The masks' folder has the same subfolders. `weights`: a file of
/// lines NAME<tab>WEIGHT for sources by file name without ending; empty: every source equally often. Throws Error
/// (input): nothing found, a picture without a mask, a line that is no weight.
std::vector<SourceFiles> find_sources(const std::string& source, const std::string& mask, const std::string& weights,
                                      const std::string& kind);

/// `target`: a picture or a folder of pictures (not looked into further). `place`, `avoid`: one file for all, or a
/// folder with a file of the target's name for those that have one. Sorted by name.
std::vector<TargetFiles> find_targets(const std::string& target, const std::string& place, const std::string& avoid);

}  // namespace geometry_transfer::cli
