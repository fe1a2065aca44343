// SPDX-License-Identifier: GPL-3.0-or-later
#include "request/text.h"

#include <unistd.h>

#include <filesystem>
#include <utility>
#include <vector>

namespace geometry_transfer {

std::string harmless(std::string text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((byte(i) < 0x20 && text[i] != '\n' && text[i] != '\t') || byte(i) == 0x7F) text[i] = '?';
    if (byte(i) == 0xC2 && i + 1 < text.size() && byte(i + 1) >= 0x80 && byte(i + 1) < 0xA0)
      text.replace(i, 2, "?");  // C1 control characters
  }
  return text;
}

std::string quoted(std::string text, std::size_t most) {
  if (text.size() > most) {
    std::size_t end = most;
    while (end > 0 && (text[end] & 0xC0) == 0x80) --end;  // do not cut within a UTF-8 character
    text.resize(end);
    text += "...";
  }
  return harmless(std::move(text));
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
