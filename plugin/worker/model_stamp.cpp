// SPDX-License-Identifier: GPL-3.0-or-later
#include "worker/model_stamp.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

namespace fs = std::filesystem;

namespace geometry_transfer::worker {
namespace {

/// A diffusers folder has some dozens of entries. Its files lie in it and in its subfolders (unet, vae); deeper folders
/// are not read.
constexpr std::size_t kMostEntries = 2000;
constexpr int kMaxDepth = 1;

/// Returns the entries of the model's folder, sorted; nothing if there are too many.
std::optional<std::vector<fs::path>> entries_of(const std::string& model) {
  std::vector<fs::path> entries;
  std::error_code none;
  fs::recursive_directory_iterator at(model, fs::directory_options::follow_directory_symlink, none);
  for (const fs::recursive_directory_iterator end; !none && at != end; at.increment(none)) {
    if (entries.size() == kMostEntries) return {};
    if (at.depth() == kMaxDepth) at.disable_recursion_pending();
    entries.push_back(at->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

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
  const auto entries = entries_of(model);
  if (!entries) return {};
  for (const fs::path& entry : *entries) add(entry);
  return stamp;
}

std::vector<std::string> places_of(const std::string& model) {
  std::vector<std::string> places = {model};
  std::error_code none;
  if (!fs::is_directory(model, none)) return places;
  for (const fs::path& entry : entries_of(model).value_or(std::vector<fs::path>()))
    if (fs::is_symlink(entry, none)) places.push_back(entry);
  return places;
}

bool LastModel::update(const std::string& model) {
  const std::string now = stamp_of(model);
  const bool same = !now.empty() && now == stamp_;
  stamp_ = now;
  return same;
}

}  // namespace geometry_transfer::worker
