// SPDX-License-Identifier: GPL-3.0-or-later
#include "request/text.h"

#include <unistd.h>

#include <filesystem>
#include <vector>

namespace geometry_transfer {

std::string program_folder() {
  std::error_code none;
  return std::filesystem::read_symlink("/proc/self/exe", none).parent_path().string();
}

std::string catalogs_folder() {
  namespace fs = std::filesystem;
  const fs::path here = program_folder();
  std::string found = GT_LOCALEDIR;
  for (const fs::path& beside : {here / "locale", here / ".." / "share" / "locale"}) {
    std::error_code none;
    if (here.empty() || !fs::is_directory(beside, none)) continue;
    found = beside.string();
    break;
  }
  return found;
}

void open_catalogs() {
  bindtextdomain(GT_TEXT_DOMAIN, catalogs_folder().c_str());
  bind_textdomain_codeset(GT_TEXT_DOMAIN, "UTF-8");
}

}  // namespace geometry_transfer
