// SPDX-License-Identifier: GPL-3.0-or-later
/// Layout: TIFF 6.0, section 2. A directory is a count, then entries of tag, type, count, and the value or its offset.
#include "cli/exif.h"

#include <algorithm>
#include <cstring>
#include <map>

namespace geometry_transfer::cli {
namespace {

constexpr unsigned kOrientationTag = 274, kExifTag = 34665, kGpsTag = 34853, kInteroperabilityTag = 40965;
constexpr unsigned kLongType = 4;
constexpr std::size_t kValuesLimit = 1 << 20;  // bytes of all values together

/// Bytes of one number of a type, by TIFF 6.0 and BigTIFF; 0 for unknown types. A rational is two numbers.
std::size_t number_size(unsigned type) {
  switch (type) {
    case 1:
    case 2:
    case 6:
    case 7:
      return 1;
    case 3:
    case 8:
      return 2;
    case 4:
    case 5:
    case 9:
    case 10:
    case 11:
    case 13:
      return 4;
    case 12:
    case 16:
    case 17:
    case 18:
      return 8;
  }
  return 0;
}
std::size_t value_size(unsigned type) { return number_size(type) * (type == 5 || type == 10 ? 2 : 1); }

struct Entry;
using Directory = std::map<unsigned, Entry>;  // by tag: a file must have them in that order

struct Entry {
  unsigned type = 0;
  std::uint64_t count = 0;
  Bytes value;          // little-endian
  Directory directory;  // of a tag that leads to one
};

/// Reads directories out of a TIFF file or an EXIF block. Skips entries whose values lie outside the file.
class TagReader {
 public:
  explicit TagReader(const Bytes& file) : file_(file) {
    if (file.size() < 8 || (std::memcmp(file.data(), "II", 2) != 0 && std::memcmp(file.data(), "MM", 2) != 0)) return;
    little_ = file[0] == 'I';
    const std::uint64_t version = number(2, 2);
    big_ = version == 43;
    if (version == 42 || (big_ && file.size() >= 16)) first_ = big_ ? number(8, 8) : number(4, 4);
  }

  Directory first_directory() { return directory_at(first_, 0); }

  /// Returns the offset of a tag's value in the first directory, if the value lies in the entry itself; 0 if not.
  std::size_t inline_value(unsigned tag) const {
    std::size_t found = 0;
    visit(first_, [&](std::size_t entry) {
      if (!found && number(entry, 2) == tag) found = entry + (big_ ? 12 : 8);
    });
    return found;
  }
  std::uint64_t number(std::size_t at, std::size_t bytes) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value |= std::uint64_t(file_[at + i]) << 8 * (little_ ? i : bytes - 1 - i);
    return value;
  }
  bool little() const { return little_; }

 private:
  /// Calls visit(where the entry lies) for each entry that is whole.
  template <class Visit>
  void visit(std::uint64_t at, Visit visit) const {
    const std::size_t head = big_ ? 8 : 2, size = big_ ? 20 : 12;
    if (at < 8 || at > file_.size() || file_.size() - at < head) return;
    const std::uint64_t room = (file_.size() - at - head) / size;
    const std::uint64_t count = std::min({number(at, head), room, std::uint64_t(65535)});
    for (std::uint64_t i = 0; i < count; ++i) visit(at + head + i * size);
  }

  Directory directory_at(std::uint64_t at, int depth) {
    Directory directory;
    visit(at, [&](std::size_t place) {
      const auto tag = static_cast<unsigned>(number(place, 2));
      Entry entry;
      entry.type = static_cast<unsigned>(number(place + 2, 2));
      entry.count = number(place + 4, big_ ? 8 : 4);
      const std::size_t size = value_size(entry.type), field = place + (big_ ? 12 : 8), room = big_ ? 8 : 4;
      if (size == 0 || entry.count > left_ / size || directory.count(tag)) return;
      const std::size_t bytes = size * entry.count;
      const std::uint64_t begin = bytes <= room ? field : number(field, room);
      if (begin > file_.size() || bytes > file_.size() - begin) return;
      left_ -= bytes;
      entry.value.resize(bytes);
      const std::size_t one = number_size(entry.type);
      for (std::size_t i = 0; i < bytes; ++i) entry.value[i] = file_[begin + (little_ ? i : i / one * one + (one - 1 - i % one))];
      const bool leads_on = depth == 0 ? tag == kExifTag || tag == kGpsTag : tag == kInteroperabilityTag;
      if (leads_on && depth < 2 && bytes >= 4 && one >= 4) {
        entry.directory = directory_at(number(field, std::min(room, one)), depth + 1);
        if (entry.directory.empty()) return;
      } else if (tag == kExifTag || tag == kGpsTag || tag == kInteroperabilityTag) {
        return;
      }
      directory.emplace(tag, std::move(entry));
    });
    return directory;
  }

  const Bytes& file_;
  bool little_ = true, big_ = false;
  std::uint64_t first_ = 0;
  std::size_t left_ = kValuesLimit;
};

void append(Bytes& to, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<unsigned char>(value >> 8 * i));
}

/// Appends the directory after what it leads to. Returns where it begins.
std::size_t append_directory(Bytes& to, const Directory& directory) {
  Bytes entries;
  append(entries, directory.size(), 2);
  for (const auto& [tag, entry] : directory) {
    append(entries, tag, 2);
    if (!entry.directory.empty()) {
      append(entries, kLongType, 2);
      append(entries, 1, 4);
      append(entries, append_directory(to, entry.directory), 4);
      continue;
    }
    append(entries, entry.type, 2);
    append(entries, entry.count, 4);
    Bytes value = entry.value;
    if (value.size() > 4) {
      if (to.size() % 2) to.push_back(0);
      const std::size_t at = to.size();
      to.insert(to.end(), value.begin(), value.end());
      value.clear();
      append(value, at, 4);
    }
    value.resize(4);
    entries.insert(entries.end(), value.begin(), value.end());
  }
  append(entries, 0, 4);  // no further directory
  if (to.size() % 2) to.push_back(0);
  const std::size_t at = to.size();
  to.insert(to.end(), entries.begin(), entries.end());
  return at;
}

/// Keeps the descriptive tags: texts, times, author, and the directories of EXIF and GPS.
Directory descriptive(Directory directory) {
  static constexpr unsigned kKeptTags[] = {270, 271, 272, 305, 306, 315, 316, 18246, 33432, kExifTag, kGpsTag};
  for (auto it = directory.begin(); it != directory.end();) {
    const Entry& entry = it->second;
    const bool classic = entry.type <= 12 && entry.count <= kValuesLimit;  // BigTIFF's types do not go into a classic file
    if (std::find(std::begin(kKeptTags), std::end(kKeptTags), it->first) != std::end(kKeptTags) &&
        (classic || !entry.directory.empty()))
      ++it;
    else
      it = directory.erase(it);
  }
  return directory;
}

void set_offset(Bytes& file, std::size_t at) {
  Bytes offset;
  append(offset, at, 4);
  std::copy(offset.begin(), offset.end(), file.begin() + 4);
}

/// Replaces the digit after `before` (a tiff:Orientation in one of XMP's two forms).
void replace_digit(Bytes& packet, const char* before) {
  const std::size_t size = std::strlen(before);
  const auto found = std::search(packet.begin(), packet.end(), before, before + size);
  if (static_cast<std::size_t>(packet.end() - found) <= size) return;
  unsigned char& digit = *(found + static_cast<long>(size));
  if (digit >= '1' && digit <= '8') digit = '1';
}

}  // namespace

int exif_orientation(const Bytes& exif) {
  const TagReader reader(exif);
  const std::size_t at = reader.inline_value(kOrientationTag);
  const std::uint64_t value = at ? reader.number(at, 2) : 1;
  return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
}

void mark_upright(Metadata& metadata) {
  const TagReader reader(metadata.exif);
  if (const std::size_t at = reader.inline_value(kOrientationTag)) {
    metadata.exif[at] = reader.little() ? 1 : 0;
    metadata.exif[at + 1] = reader.little() ? 0 : 1;
  }
  for (const char* before : {"tiff:Orientation=\"", "tiff:Orientation='", "<tiff:Orientation>"})
    replace_digit(metadata.xmp, before);
}

Bytes exif_of_tiff(const Bytes& file) {
  const Directory directory = descriptive(TagReader(file).first_directory());
  if (directory.empty()) return {};
  Bytes exif = {'I', 'I', 42, 0, 0, 0, 0, 0};
  set_offset(exif, append_directory(exif, directory));
  return exif;
}

Bytes tiff_with_exif(const Bytes& file, const Bytes& exif) {
  const Directory added = descriptive(TagReader(exif).first_directory());
  if (added.empty() || file.size() < 8 || file[0] != 'I' || file[2] != 42) return file;
  // Entries of the file's own directory stay as they are: tag, type, count and value or offset.
  Bytes result = file;
  std::uint32_t first = 0;
  for (int i = 3; i >= 0; --i) first = first << 8 | file[4 + static_cast<std::size_t>(i)];
  if (first + std::size_t(2) > file.size()) return file;
  const std::size_t count = file[first] | file[first + 1] << 8;
  if (first + 2 + count * 12 > file.size()) return file;
  std::map<unsigned, Bytes> raw;
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = file.begin() + static_cast<long>(first + 2 + i * 12);
    raw[unsigned(at[0]) | unsigned(at[1]) << 8] = Bytes(at, at + 12);
  }
  const std::size_t theirs = append_directory(result, added);
  for (std::size_t i = 0; i < added.size(); ++i) {
    const auto at = result.begin() + static_cast<long>(theirs + 2 + i * 12);
    raw[unsigned(at[0]) | unsigned(at[1]) << 8] = Bytes(at, at + 12);
  }
  if (result.size() % 2) result.push_back(0);
  set_offset(result, result.size());
  append(result, raw.size(), 2);
  for (const auto& [tag, entry] : raw) result.insert(result.end(), entry.begin(), entry.end());
  append(result, 0, 4);
  return result;
}

}  // namespace geometry_transfer::cli
