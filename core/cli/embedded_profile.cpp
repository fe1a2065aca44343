// SPDX-License-Identifier: GPL-3.0-or-later
/// Container layouts: PNG (W3C, 11.3: iCCP, oFFs), JPEG (ICC.1 annex B.4: APP2 "ICC_PROFILE"); TIFF is in tiff_tags.h.
#include "cli/embedded_profile.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "cli/tiff_tags.h"

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
  std::uint64_t components = 0;
  bool all_kept = false;  // several scans, of which libjpeg keeps all coefficients until the last: two bytes each
  walk_jpeg(file, [&](int name, const unsigned char* data, std::size_t size) {
    if (name == 0xDA && size > 0 && data[0] < components) all_kept = true;
    const bool frame = name >= 0xC0 && name <= 0xCF && name != 0xC4 && name != 0xC8 && name != 0xCC;
    if (!frame || size < 6 || claim.width > 0) return;
    claim.height = data[1] << 8 | data[2], claim.width = data[3] << 8 | data[4];
    components = data[5];
    all_kept = (name & 3) == 2;  // progressive
    claim.bytes = claim.width * claim.height * (components == 1 ? 1 : 3);
    constexpr unsigned most = 1024;  // pixels a byte: a bit for 8 x 8 of them, in one of a progressive file's scans at least
    claim.possible = claim.width * claim.height / most <= file.size();
  });
  if (all_kept) claim.bytes += claim.width * claim.height * components * 2;
  return claim;
}

bool jpeg_ends_early(const Bytes& file) {
  const std::size_t scan = walk_jpeg(file, [](int, const unsigned char*, std::size_t) {});
  if (scan == 0) return true;
  // In scan data 0xFF is always followed by 0x00 or a marker, so 0xFFD9 is the end and nothing else.
  static constexpr unsigned char end[] = {0xFF, 0xD9};
  return std::search(file.begin() + static_cast<long>(scan), file.end(), end, end + 2) == file.end();
}

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
