// SPDX-License-Identifier: GPL-3.0-or-later
#include "request/text.h"

#include <unistd.h>

#include <filesystem>
#include <vector>

namespace geometry_transfer {

std::string quoted(std::string text, std::size_t most) {
  if (text.size() > most) {
    std::size_t end = most;
    while (end > 0 && (text[end] & 0xC0) == 0x80) --end;  // not within a character
    text.resize(end);
    text += "...";
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]), before = static_cast<unsigned char>(i ? text[i - 1] : 0);
    if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F) text[i] = '?';
    if (before == 0xC2 && c >= 0x80 && c < 0xA0) text[i] = static_cast<char>(0xBF);  // U+0080 to U+009F
  }
  return text;
}

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
