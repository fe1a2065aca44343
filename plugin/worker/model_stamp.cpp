// SPDX-License-Identifier: GPL-3.0-or-later
#include "worker/model_stamp.h"

#include <algorithm>
#include <filesystem>
#include <vector>

namespace fs = std::filesystem;

namespace geometry_transfer::worker {
namespace {

/// A diffusers folder has some dozens of entries. Its files lie in it and in its subfolders (unet, vae); deeper folders
/// are not read.
constexpr std::size_t kMostEntries = 2000;
constexpr int kMaxDepth = 1;

}  // namespace

std::string stamp_of(const std::string& model) {
  std::string stamp = model;
  const auto add = [&](const fs::path& file) {
    std::error_code none;
    stamp += '\n' + file.string() + ' ' + std::to_string(fs::file_size(file, none)) + ' ' +
             std::to_string(fs::last_write_time(file, none).time_since_epoch().count());
  };
  std::error_code none;
  if (!fs::is_directory(model, none)) {
    add(model);
    return stamp;
  }
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator at(model, none), end; !none && at != end; at.increment(none)) {
    if (files.size() == kMostEntries) return {};
    if (at.depth() == kMaxDepth) at.disable_recursion_pending();
    files.push_back(at->path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) add(file);
  return stamp;
}

bool LastModel::update(const std::string& model) {
  const std::string now = stamp_of(model);
  const bool same = !now.empty() && now == stamp_;
  stamp_ = now;
  return same;
}

}  // namespace geometry_transfer::worker
