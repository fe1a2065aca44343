// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/cache_files.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace fs = std::filesystem;

namespace geometry_transfer {
namespace {

/// Empty if the user has no cache folder.
fs::path cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache && cache[0] == '/') return fs::path(cache) / "geometry-transfer";
  const char* home = std::getenv("HOME");
  return home && home[0] == '/' ? fs::path(home) / ".cache" / "geometry-transfer" : fs::path();
}

/// Ends of the names of our files. One that is still written has six random letters behind: `name.prompt.XXXXXX`.
constexpr const char* kEnds[] = {".prompt", ".hashes"};
constexpr char kRandom[] = ".XXXXXX";

/// Removes what a write left behind when its process was killed. A write takes far less than a day.
void remove_leftovers(const fs::path& folder) {
  const auto yesterday = fs::file_time_type::clock::now() - std::chrono::hours(24);
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    const fs::path& path = it->path();
    const bool ours = std::find(std::begin(kEnds), std::end(kEnds), path.stem().extension()) != std::end(kEnds);
    if (!ours || path.extension().native().size() != sizeof kRandom - 1) continue;
    std::error_code skip;
    if (fs::symlink_status(path, skip).type() != fs::file_type::regular) continue;
    const auto written = fs::last_write_time(path, skip);
    if (!skip && written < yesterday) fs::remove(path, skip);
  }
}

}  // namespace

std::string make_cache_folder() {
  const fs::path folder = cache_folder();
  std::error_code failed;
  if (!folder.empty()) fs::create_directories(folder, failed);
  return failed ? "" : folder.string();
}

std::string hex(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

std::string read_cache_file(const std::string& name, std::uintmax_t limit) try {
  const fs::path folder = cache_folder();
  if (folder.empty()) return {};
  std::error_code failed;
  // Check the size first, because the file may be anything.
  if (!fs::is_regular_file(folder / name, failed) || fs::file_size(folder / name, failed) > limit || failed) return {};
  std::ifstream in(folder / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
} catch (const std::exception&) {
  return {};
}

void write_cache_file(const std::string& name, const std::string& bytes) try {
  const fs::path folder = make_cache_folder();
  if (folder.empty()) return;
  std::error_code failed;
  remove_leftovers(folder);
  std::string temporary = folder / (name + kRandom);
  const int file = mkstemp(temporary.data());
  if (file < 0) return;
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n = write(file, bytes.data() + written, bytes.size() - written);
    if (n <= 0) break;
    written += static_cast<std::size_t>(n);
  }
  const bool whole = written == bytes.size() && fsync(file) == 0;
  close(file);
  if (whole) fs::rename(temporary, folder / name, failed);
  if (!whole || failed) fs::remove(temporary, failed);
} catch (const std::exception&) {
}

}  // namespace geometry_transfer
