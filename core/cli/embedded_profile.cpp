// SPDX-License-Identifier: GPL-3.0-or-later
/// Container layouts: PNG (W3C, 11.3: iCCP, oFFs), JPEG (ICC.1 annex B.4: APP2 "ICC_PROFILE"), TIFF 6.0 (tag 34675).
#include "cli/embedded_profile.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace geometry_transfer::cli {
namespace {

constexpr unsigned char png_signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
constexpr std::size_t profile_limit = 64u << 20;  // larger than any profile in use; a bomb's end

bool starts(const Bytes& file, const void* head, std::size_t size) {
  return file.size() >= size && std::memcmp(file.data(), head, size) == 0;
}

std::uint32_t big32(const unsigned char* p) { return std::uint32_t(p[0]) << 24 | p[1] << 16 | p[2] << 8 | p[3]; }

void put32(Bytes& to, std::uint32_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<unsigned char>(v >> shift));
}

// ---- PNG: length, name, data, crc ------------------------------------------------------------------------------------------

struct Chunk {
  std::size_t begin, size;  // of its data
  std::size_t end() const { return begin + size + 4; }
};

/// The first chunk of that name, from the start of the file.
bool find_chunk(const Bytes& file, const char* name, Chunk& found) {
  for (std::size_t at = sizeof png_signature; at + 12 <= file.size();) {
    const std::size_t size = big32(&file[at]);
    if (size > file.size() - at - 12) return false;
    found = {at + 8, size};
    if (std::memcmp(&file[at + 4], name, 4) == 0) return true;
    at = found.end();
  }
  return false;
}

Bytes with_chunk(const Bytes& file, const char* name, const Bytes& data) {
  Chunk header;
  if (!find_chunk(file, "IHDR", header)) return file;
  Bytes made(file.begin(), file.begin() + static_cast<long>(header.end()));
  put32(made, static_cast<std::uint32_t>(data.size()));
  const std::size_t named = made.size();
  made.insert(made.end(), name, name + 4);
  made.insert(made.end(), data.begin(), data.end());
  put32(made, static_cast<std::uint32_t>(crc32(crc32(0, nullptr, 0), &made[named], static_cast<uInt>(made.size() - named))));
  made.insert(made.end(), file.begin() + static_cast<long>(header.end()), file.end());
  return made;
}

Bytes inflated(const unsigned char* data, std::size_t size) {
  Bytes out(1 << 16);
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return {};
  stream.next_in = const_cast<unsigned char*>(data);
  stream.avail_in = static_cast<uInt>(size);
  int state = Z_OK;
  while (state == Z_OK && out.size() <= profile_limit) {
    if (stream.total_out == out.size()) out.resize(out.size() * 2);
    stream.next_out = &out[stream.total_out];
    stream.avail_out = static_cast<uInt>(out.size() - stream.total_out);
    state = inflate(&stream, Z_NO_FLUSH);
  }
  out.resize(state == Z_STREAM_END ? stream.total_out : 0);
  inflateEnd(&stream);
  return out;
}

Bytes png_profile(const Bytes& file) {
  Chunk chunk;
  if (!find_chunk(file, "iCCP", chunk)) return {};
  const unsigned char* data = &file[chunk.begin];
  const auto* name_end = static_cast<const unsigned char*>(std::memchr(data, 0, std::min<std::size_t>(chunk.size, 80)));
  if (!name_end || name_end + 2 > data + chunk.size) return {};
  return inflated(name_end + 2, static_cast<std::size_t>(data + chunk.size - name_end - 2));
}

Claim png_claim(const Bytes& file) {
  Chunk header;
  if (!find_chunk(file, "IHDR", header) || header.size < 13) return {};
  const unsigned char* data = &file[header.begin];
  const unsigned depth = data[8], kind = data[9];
  const unsigned stored = kind == 2 ? 3 : kind == 4 ? 2 : kind == 6 ? 4 : 1;  // gray, colour, palette, with alpha
  Claim claim{big32(data), big32(data + 4), 0, true};
  const std::uint64_t pixels = claim.width * claim.height;  // two 32-bit numbers: fits
  claim.bytes = pixels * (kind == 0 ? 1 : kind == 2 ? 3 : 4) * (depth > 8 ? 2 : 1);
  constexpr unsigned most = 1032;  // deflate's best, times
  claim.possible = pixels / 8 * depth * stored / most <= file.size();
  return claim;
}

Bytes png_with_profile(const Bytes& file, const Bytes& profile) {
  Bytes data = {'I', 'C', 'C', 0, 0};
  uLongf size = compressBound(profile.size());
  data.resize(5 + size);
  if (compress(&data[5], &size, profile.data(), profile.size()) != Z_OK) return file;
  data.resize(5 + size);
  return with_chunk(file, "iCCP", data);
}

// ---- JPEG: segments 0xFF name, length; scan data after SOS -------------------------------------------------------------------

constexpr char icc_name[] = "ICC_PROFILE";  // with its zero: 12 bytes, then number and count
constexpr std::size_t icc_head = sizeof icc_name + 2;

/// Calls visit(name, data, size) for each segment before the scan; returns where the scan starts, 0 when it does not.
template <class Visit>
std::size_t walk_jpeg(const Bytes& file, Visit visit) {
  for (std::size_t at = 2; at + 4 <= file.size();) {
    if (file[at] != 0xFF) return 0;
    if (file[at + 1] == 0xFF) {  // fill byte
      ++at;
      continue;
    }
    const std::size_t size = file[at + 2] << 8 | file[at + 3];
    if (size < 2 || at + 2 + size > file.size()) return 0;
    visit(file[at + 1], file.data() + at + 4, size - 2);
    at += 2 + size;
    if (file[at - size - 1] == 0xDA) return at;
  }
  return 0;
}

Bytes jpeg_profile(const Bytes& file) {
  std::vector<Bytes> parts;
  walk_jpeg(file, [&](int name, const unsigned char* data, std::size_t size) {
    if (name != 0xE2 || size < icc_head || std::memcmp(data, icc_name, sizeof icc_name) != 0) return;
    const std::size_t number = data[sizeof icc_name], count = data[sizeof icc_name + 1];
    if (number < 1 || number > count) return;
    parts.resize(std::max(parts.size(), count));
    parts[number - 1].assign(data + icc_head, data + size);
  });
  Bytes profile;
  for (const Bytes& part : parts) {
    if (part.empty()) return {};
    profile.insert(profile.end(), part.begin(), part.end());
  }
  return profile;
}

Bytes jpeg_with_profile(const Bytes& file, const Bytes& profile) {
  constexpr std::size_t room = 0xFFFF - 2 - icc_head;
  const std::size_t count = (profile.size() + room - 1) / room;
  if (count > 255) return file;
  // After the JFIF header, which must stay first.
  std::size_t at = 2;
  if (file.size() > 6 && file[2] == 0xFF && file[3] == 0xE0) at += 2 + (file[4] << 8 | file[5]);
  if (at > file.size()) return file;  // cut off
  Bytes made(file.begin(), file.begin() + static_cast<long>(at));
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = i * room, size = std::min(room, profile.size() - begin), length = 2 + icc_head + size;
    for (std::size_t v : {std::size_t(0xFF), std::size_t(0xE2), length >> 8, length & 255})
      made.push_back(static_cast<unsigned char>(v));
    for (const char c : icc_name) made.push_back(static_cast<unsigned char>(c));
    made.push_back(static_cast<unsigned char>(i + 1));
    made.push_back(static_cast<unsigned char>(count));
    made.insert(made.end(), profile.begin() + static_cast<long>(begin), profile.begin() + static_cast<long>(begin + size));
  }
  made.insert(made.end(), file.begin() + static_cast<long>(at), file.end());
  return made;
}

Claim jpeg_claim(const Bytes& file) {
  Claim claim;
  walk_jpeg(file, [&](int name, const unsigned char* data, std::size_t size) {
    const bool frame = name >= 0xC0 && name <= 0xCF && name != 0xC4 && name != 0xC8 && name != 0xCC;
    if (!frame || size < 6 || claim.width > 0) return;
    claim.height = data[1] << 8 | data[2], claim.width = data[3] << 8 | data[4];
    claim.bytes = claim.width * claim.height * (data[5] == 1 ? 1 : 3);
    constexpr unsigned most = 1024;  // pixels a byte: a bit for 8 x 8 of them, in one of a progressive file's scans at least
    claim.possible = claim.width * claim.height / most <= file.size();
  });
  return claim;
}

bool jpeg_ends_early(const Bytes& file) {
  const std::size_t scan = walk_jpeg(file, [](int, const unsigned char*, std::size_t) {});
  if (scan == 0) return true;
  // In scan data 0xFF is always followed by 0x00 or a marker, so 0xFFD9 is the end and nothing else.
  static constexpr unsigned char end[] = {0xFF, 0xD9};
  return std::search(file.begin() + static_cast<long>(scan), file.end(), end, end + 2) == file.end();
}

// ---- TIFF: a list of 12-byte entries at an offset, in either byte order
// --------------------------------------------------------

class Tiff {
 public:
  static constexpr unsigned profile_tag = 34675, undefined_type = 7;

  explicit Tiff(const Bytes& file) : file_(file), little_(file[0] == 'I') {
    if (file.size() >= 8) list_ = number(4, 4);
    if (list_ < 8 || list_ + 2 > file.size()) return;
    const std::size_t count = number(list_, 2);
    count_ = std::min(count, (file.size() - list_ - 2) / 12);  // libtiff reads a list that is cut off, too
    whole_ = list_ + 2 + count * 12 + 4 <= file.size();
  }

  Bytes profile() const {
    for (std::size_t i = 0; i < count_; ++i) {
      const std::size_t entry = list_ + 2 + i * 12;
      if (number(entry, 2) != profile_tag) continue;
      const std::size_t size = number(entry + 4, 4), at = number(entry + 8, 4);
      if (size <= 4 || at > file_.size() || size > file_.size() - at) return {};
      return Bytes(file_.begin() + static_cast<long>(at), file_.begin() + static_cast<long>(at + size));
    }
    return {};
  }

  /// As libtiff and OpenCV take it: of several entries of one tag the first counts, and besides the picture a whole tile or strip
  /// is held, four channels wide.
  Claim claim() const {
    constexpr std::uint64_t usual_piece = 1 << 24;  // pixels; a piece larger than this and the picture is no tile of it
    Claim claim;
    claim.width = first(256, 0), claim.height = first(257, 0);
    if (claim.width == 0 || claim.height == 0) return claim;
    const std::uint64_t bits = bits_a_sample(), samples = std::min<std::uint64_t>(first(277, 1), 4), packing = first(259, 1);
    const std::uint64_t pixels = product(claim.width, claim.height), size = bits > 8 ? 2 : 1;
    const bool tiled = first(322, 0) > 0;
    std::uint64_t strip = first(278, 0);
    if (strip == 0 || strip == 0xFFFFFFFF) strip = claim.height;
    const std::uint64_t piece = tiled ? product(first(322, 0), first(323, 0)) : product(claim.width, strip);
    claim.bytes = product(pixels, samples * size) + product(std::min(piece, std::max(pixels, usual_piece)), 4 * size);
    // As PNG's: what the best case of each packing makes of a byte; unknown ones may make any number of them.
    const unsigned most = packing == 1                       ? 1
                          : packing == 32773                 ? 64
                          : packing == 5                     ? 1400
                          : packing == 8 || packing == 32946 ? 1032
                                                             : 0;
    if (most > 0) claim.possible = product(pixels / 8, bits) / most <= file_.size();
    if (piece > std::max(pixels, usual_piece)) claim.possible = false;
    return claim;
  }

  /// The profile and a new list that names it go to the end; the header then points to that list.
  Bytes with_profile(const Bytes& profile) const {
    if (count_ == 0 || !whole_) return file_;
    Bytes made = file_;
    if (made.size() % 2) made.push_back(0);
    const std::size_t at = made.size();
    made.insert(made.end(), profile.begin(), profile.end());
    if (made.size() % 2) made.push_back(0);
    const std::size_t list = made.size();
    append(made, count_ + 1, 2);
    bool written = false;
    for (std::size_t i = 0; i <= count_; ++i) {
      const std::size_t entry = list_ + 2 + i * 12;
      if (!written && (i == count_ || number(entry, 2) > profile_tag)) {  // entries are sorted by tag
        append(made, profile_tag, 2);
        append(made, undefined_type, 2);
        append(made, profile.size(), 4);
        append(made, at, 4);
        written = true;
      }
      if (i < count_)
        made.insert(made.end(), file_.begin() + static_cast<long>(entry), file_.begin() + static_cast<long>(entry + 12));
    }
    const auto next = file_.begin() + static_cast<long>(list_ + 2 + count_ * 12);
    made.insert(made.end(), next, next + 4);
    Bytes header;
    append(header, list, 4);
    std::copy(header.begin(), header.end(), made.begin() + 4);
    return made;
  }

 private:
  static std::uint64_t product(std::uint64_t a, std::uint64_t b) {
    return b && a > UINT64_MAX / b ? UINT64_MAX : a * b;  // as much as there is
  }

  /// Where the first entry of a tag lies; 0 when there is none.
  std::size_t entry_of(std::size_t tag) const {
    for (std::size_t i = 0; i < count_; ++i)
      if (const std::size_t entry = list_ + 2 + i * 12; number(entry, 2) == tag) return entry;
    return 0;
  }

  /// A tag's number, of whatever width: a byte, a short, a long, or eight bytes elsewhere. What is not there is more than any.
  std::uint64_t first(std::size_t tag, std::uint64_t missing) const {
    const std::size_t entry = entry_of(tag);
    if (!entry) return missing;
    switch (number(entry + 2, 2)) {
      case 1:
      case 6:
        return number(entry + 8, 1);
      case 3:
      case 8:
        return number(entry + 8, 2);
      case 16:
      case 17:
      case 18: {
        const std::size_t at = number(entry + 8, 4);
        return at <= file_.size() && file_.size() - at >= 8 ? number(at, 8) : UINT64_MAX;
      }
      default:
        return number(entry + 8, 4);
    }
  }

  std::uint64_t bits_a_sample() const {
    const std::size_t entry = entry_of(258);
    if (!entry) return 1;
    const std::uint64_t elsewhere = number(entry + 8, 4);
    if (number(entry + 4, 4) <= 2) return number(entry + 8, 2);
    return elsewhere + 2 <= file_.size() ? number(elsewhere, 2) : 1;
  }

  std::size_t number(std::size_t at, int bytes) const {
    std::size_t value = 0;
    for (int i = 0; i < bytes; ++i)
      value |= std::size_t(file_[at + static_cast<std::size_t>(i)]) << 8 * (little_ ? i : bytes - 1 - i);
    return value;
  }
  void append(Bytes& to, std::size_t value, int bytes) const {
    for (int i = 0; i < bytes; ++i) to.push_back(static_cast<unsigned char>(value >> 8 * (little_ ? i : bytes - 1 - i)));
  }

  const Bytes& file_;
  bool little_;
  std::size_t list_ = 0, count_ = 0;
  bool whole_ = false;  ///< the list is not cut off
};

}  // namespace

Format format_of(const Bytes& file) {
  if (starts(file, png_signature, sizeof png_signature)) return Format::png;
  if (starts(file, "\xff\xd8\xff", 3)) return Format::jpeg;
  if (starts(file, "II*\0", 4) || starts(file, "MM\0*", 4)) return Format::tiff;
  return Format::other;
}

bool ends_early(const Bytes& file) {
  Chunk end;
  switch (format_of(file)) {
    case Format::png:
      return !find_chunk(file, "IEND", end);
    case Format::jpeg:
      return jpeg_ends_early(file);
    default:
      return false;
  }
}

Claim claimed_size(const Bytes& file) {
  switch (format_of(file)) {
    case Format::png:
      return png_claim(file);
    case Format::jpeg:
      return jpeg_claim(file);
    case Format::tiff:
      return Tiff(file).claim();
    case Format::other:
      break;
  }
  return {};
}

Bytes embedded_profile(const Bytes& file) {
  switch (format_of(file)) {
    case Format::png:
      return png_profile(file);
    case Format::jpeg:
      return jpeg_profile(file);
    case Format::tiff:
      return Tiff(file).profile();
    case Format::other:
      break;
  }
  return {};
}

Bytes with_profile(const Bytes& file, const Bytes& profile) {
  if (profile.empty()) return file;
  switch (format_of(file)) {
    case Format::png:
      return png_with_profile(file, profile);
    case Format::jpeg:
      return jpeg_with_profile(file, profile);
    case Format::tiff:
      return Tiff(file).with_profile(profile);
    case Format::other:
      break;
  }
  return file;
}

Bytes with_offset(const Bytes& file, int x, int y) {
  if (format_of(file) != Format::png) return file;
  Bytes data;
  put32(data, static_cast<std::uint32_t>(x));
  put32(data, static_cast<std::uint32_t>(y));
  data.push_back(0);  // unit: pixels
  return with_chunk(file, "oFFs", data);
}

}  // namespace geometry_transfer::cli
