// SPDX-License-Identifier: GPL-3.0-or-later
/// Layouts: PNG, third edition (W3C), chapter 11.3. A chunk is length, name, data, CRC; numbers are big-endian.
#include "cli/png_chunks.h"

#include <lcms2.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace geometry_transfer::cli {
namespace {

constexpr std::size_t kSignatureSize = 8;
constexpr std::size_t kUnpackedLimit = 64u << 20;  // larger than any profile or packet in use
constexpr char kXmpKeyword[] = "XML:com.adobe.xmp";

std::uint32_t read32(const unsigned char* p) {
  return std::uint32_t(p[0]) << 24 | std::uint32_t(p[1]) << 16 | std::uint32_t(p[2]) << 8 | p[3];
}

void append32(Bytes& to, std::uint32_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<unsigned char>(v >> shift));
}

struct Chunk {
  std::size_t begin, size;  // of its data
  std::size_t end() const { return begin + size + 4; }
};

/// Calls visit(name, chunk) for each whole chunk until it returns false.
template <class Visit>
void visit_chunks(const Bytes& file, Visit visit) {
  for (std::size_t at = kSignatureSize; at + 12 <= file.size();) {
    const std::size_t size = read32(&file[at]);
    if (size > file.size() - at - 12) return;
    const Chunk chunk{at + 8, size};
    if (!visit(reinterpret_cast<const char*>(&file[at + 4]), chunk)) return;
    at = chunk.end();
  }
}

/// The first chunk of that name.
std::optional<Chunk> find_chunk(const Bytes& file, const char* wanted) {
  std::optional<Chunk> found;
  visit_chunks(file, [&](const char* name, const Chunk& chunk) {
    if (std::memcmp(name, wanted, 4) == 0) found = chunk;
    return !found;
  });
  return found;
}

bool has_right_crc(const Bytes& file, const Chunk& chunk) {
  return crc32(crc32(0, nullptr, 0), &file[chunk.begin - 4], static_cast<uInt>(chunk.size + 4)) == read32(&file[chunk.end() - 4]);
}

Bytes chunk_data(const Bytes& file, const Chunk& chunk) {
  const auto begin = file.begin() + static_cast<long>(chunk.begin);
  return Bytes(begin, begin + static_cast<long>(chunk.size));
}

void append_chunk(Bytes& to, const char* name, const Bytes& data) {
  append32(to, static_cast<std::uint32_t>(data.size()));
  const std::size_t named = to.size();
  to.insert(to.end(), name, name + 4);
  to.insert(to.end(), data.begin(), data.end());
  append32(to, static_cast<std::uint32_t>(crc32(crc32(0, nullptr, 0), &to[named], static_cast<uInt>(to.size() - named))));
}

/// `file` with the chunks that `append` writes, after the header chunk.
template <class Append>
Bytes with_chunks(const Bytes& file, Append append) {
  const auto header = find_chunk(file, "IHDR");
  if (!header) return file;
  const auto rest = file.begin() + static_cast<long>(header->end());
  Bytes result(file.begin(), rest);
  append(result);
  result.insert(result.end(), rest, file.end());
  return result;
}

/// Empty when the data are damaged or larger than the limit.
Bytes inflated(const unsigned char* data, std::size_t size) {
  Bytes out(1 << 16);
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return {};
  stream.next_in = const_cast<unsigned char*>(data);
  stream.avail_in = static_cast<uInt>(size);
  int state = Z_OK;
  while (state == Z_OK && out.size() <= kUnpackedLimit) {
    if (stream.total_out == out.size()) out.resize(out.size() * 2);
    stream.next_out = &out[stream.total_out];
    stream.avail_out = static_cast<uInt>(out.size() - stream.total_out);
    state = inflate(&stream, Z_NO_FLUSH);
  }
  out.resize(state == Z_STREAM_END ? stream.total_out : 0);
  inflateEnd(&stream);
  return out;
}

/// The text of an iTXt chunk if it is an XMP packet: keyword, 0, packed?, 0, language, 0, translated keyword, 0, text.
Bytes xmp_packet(const Bytes& text) {
  if (text.size() < sizeof kXmpKeyword + 2 || std::memcmp(text.data(), kXmpKeyword, sizeof kXmpKeyword) != 0) return {};
  const bool packed = text[sizeof kXmpKeyword] != 0;
  auto at = text.begin() + sizeof kXmpKeyword + 2;
  for (int i = 0; i < 2; ++i) {
    at = std::find(at, text.end(), 0);
    if (at == text.end()) return {};
    ++at;
  }
  if (!packed) return Bytes(at, text.end());
  return at == text.end() ? Bytes{} : inflated(&*at, static_cast<std::size_t>(text.end() - at));
}

const Bytes* colour_chunk(const Metadata& metadata, const char* name, std::size_t size) {
  for (const auto& [held, data] : metadata.png_colour)
    if (held == name && data.size() == size) return &data;
  return nullptr;
}

/// The profile's bytes. Closes it.
Bytes saved_profile(cmsHPROFILE profile) {
  Bytes bytes;
  cmsUInt32Number size = 0;
  if (profile && cmsSaveProfileToMem(profile, nullptr, &size)) {
    bytes.resize(size);
    if (!cmsSaveProfileToMem(profile, bytes.data(), &size)) bytes.clear();
  }
  if (profile) cmsCloseProfile(profile);
  return bytes;
}

constexpr cmsCIExyY d65 = {0.3127, 0.3290, 1};
constexpr cmsCIExyYTRIPLE srgb_primaries = {{0.64, 0.33, 1}, {0.30, 0.60, 1}, {0.15, 0.06, 1}};

Bytes profile_of(const cmsCIExyY& white, const cmsCIExyYTRIPLE& primaries, cmsToneCurve* curve, int channels) {
  if (!curve) return {};
  cmsToneCurve* curves[] = {curve, curve, curve};
  const cmsHPROFILE profile =
      channels == 1 ? cmsCreateGrayProfile(cmsD50_xyY(), curve) : cmsCreateRGBProfile(&white, &primaries, curves);
  cmsFreeToneCurve(curve);
  return saved_profile(profile);
}

/// Coding-independent code points (ITU-T H.273): primaries and transfer of the standards that pictures use.
Bytes cicp_profile(const Bytes& cicp, int channels) {
  static constexpr cmsCIExyYTRIPLE bt2020 = {{0.708, 0.292, 1}, {0.170, 0.797, 1}, {0.131, 0.046, 1}};
  static constexpr cmsCIExyYTRIPLE p3 = {{0.680, 0.320, 1}, {0.265, 0.690, 1}, {0.150, 0.060, 1}};
  const unsigned primaries = cicp[0], transfer = cicp[1];
  const cmsCIExyYTRIPLE* known = primaries == 1 ? &srgb_primaries : primaries == 9 ? &bt2020 : primaries == 12 ? &p3 : nullptr;
  if (!known || (known == &srgb_primaries && transfer == 13)) return {};
  static constexpr double kSrgbCurve[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
  static constexpr double kBt709Curve[] = {1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081};
  cmsToneCurve* curve = nullptr;
  if (transfer == 13) curve = cmsBuildParametricToneCurve(nullptr, 4, kSrgbCurve);
  if (transfer == 1 || transfer == 6 || transfer == 14 || transfer == 15)
    curve = cmsBuildParametricToneCurve(nullptr, 4, kBt709Curve);
  if (transfer == 4 || transfer == 5 || transfer == 8)
    curve = cmsBuildGamma(nullptr, transfer == 4 ? 2.2 : transfer == 5 ? 2.8 : 1.0);
  return profile_of(d65, *known, curve, channels);
}

Bytes gamma_profile(const Bytes* gama, const Bytes* chrm, int channels) {
  constexpr double scale = 100000;  // both chunks hold multiples of 1/100000
  const double stored = gama ? read32(gama->data()) / scale : 1 / 2.2;
  if (!(stored > 0.05 && stored < 20)) return {};
  cmsCIExyY white = d65;
  cmsCIExyYTRIPLE primaries = srgb_primaries;
  bool wide = false;
  if (chrm && channels == 3) {
    double v[8];
    for (int i = 0; i < 8; ++i) v[i] = read32(chrm->data() + 4 * i) / scale;
    const double usual[8] = {0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06};
    for (int i = 0; i < 8; ++i) wide = wide || std::abs(v[i] - usual[i]) > 0.002;
    if (v[1] <= 0 || v[3] <= 0 || v[5] <= 0 || v[7] <= 0) return {};
    white = {v[0], v[1], 1};
    primaries = {{v[2], v[3], 1}, {v[4], v[5], 1}, {v[6], v[7], 1}};
  }
  // The value 0.45455 means sRGB's own curve, because files write it for sRGB.
  const bool usual_gamma = std::abs(stored - 0.45455) < 0.002;
  if (usual_gamma && !wide) return {};
  static constexpr double kSrgbCurve[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
  return profile_of(white, primaries,
                    usual_gamma ? cmsBuildParametricToneCurve(nullptr, 4, kSrgbCurve) : cmsBuildGamma(nullptr, 1 / stored),
                    channels);
}

}  // namespace

bool png_is_whole(const Bytes& file) { return find_chunk(file, "IEND").has_value(); }

Claim png_claim(const Bytes& file) {
  const auto header = find_chunk(file, "IHDR");
  if (!header || header->size < 13) return {};
  const unsigned char* data = &file[header->begin];
  const unsigned depth = data[8], kind = data[9];
  const unsigned stored = kind == 2 ? 3 : kind == 4 ? 2 : kind == 6 ? 4 : 1;
  const bool key = find_chunk(file, "tRNS").has_value();
  const unsigned decoded = (kind == 3 ? 3 : stored) + (key ? 1 : 0);
  Claim claim{read32(data), read32(data + 4), 0, true};
  const std::uint64_t pixels = claim.width * claim.height;  // fits: both have 32 bits
  claim.bytes = pixels > UINT64_MAX / 16 ? UINT64_MAX : pixels * decoded * (depth > 8 ? 2 : 1);
  constexpr unsigned kBestRatio = 1032;  // of deflate
  claim.possible = pixels / 8 * depth / kBestRatio * stored <= file.size();
  return claim;
}

std::uint32_t png_frames(const Bytes& file) {
  const auto control = find_chunk(file, "acTL");
  return control && control->size >= 8 ? std::max(read32(&file[control->begin]), 1u) : 1;
}

Bytes png_profile(const Bytes& file) {
  const auto chunk = find_chunk(file, "iCCP");
  if (!chunk || !has_right_crc(file, *chunk)) return {};
  const unsigned char* data = &file[chunk->begin];
  const auto* name_end = static_cast<const unsigned char*>(std::memchr(data, 0, std::min<std::size_t>(chunk->size, 80)));
  if (!name_end || name_end + 2 > data + chunk->size) return {};
  return inflated(name_end + 2, static_cast<std::size_t>(data + chunk->size - name_end - 2));
}

Metadata png_metadata(const Bytes& file) {
  Metadata metadata;
  visit_chunks(file, [&](const char* name, const Chunk& chunk) {
    const auto is = [&](const char* wanted) { return std::memcmp(name, wanted, 4) == 0; };
    const bool colour = (is("gAMA") && chunk.size == 4) || (is("cHRM") && chunk.size == 32) || (is("sRGB") && chunk.size == 1) ||
                        (is("cICP") && chunk.size == 4);
    const bool other = is("eXIf") || is("iTXt") || (is("pHYs") && chunk.size == 9);
    if ((!colour && !other) || !has_right_crc(file, chunk)) return true;
    Bytes data = chunk_data(file, chunk);
    if (colour)
      metadata.png_colour.emplace_back(std::string(name, 4), std::move(data));
    else if (is("eXIf") && metadata.exif.empty())
      metadata.exif = std::move(data);
    else if (is("iTXt") && metadata.xmp.empty())
      metadata.xmp = xmp_packet(data);
    else if (is("pHYs") && !metadata.resolution) {
      const bool metre = data[8] == 1;
      const double scale = metre ? 0.01 : 1;
      metadata.resolution = Resolution{read32(data.data()) * scale, read32(data.data() + 4) * scale,
                                       metre ? Resolution::Unit::centimetre : Resolution::Unit::none};
    }
    return true;
  });
  return metadata;
}

Bytes png_with_metadata(const Bytes& file, const Metadata& metadata, const Bytes& profile) {
  return with_chunks(file, [&](Bytes& to) {
    for (const auto& [name, data] : metadata.png_colour)
      if (profile.empty() || name != "sRGB") append_chunk(to, name.c_str(), data);
    if (!profile.empty()) {
      Bytes data = {'I', 'C', 'C', 0, 0};
      uLongf size = compressBound(profile.size());
      data.resize(5 + size);
      if (compress(&data[5], &size, profile.data(), profile.size()) == Z_OK) {
        data.resize(5 + size);
        append_chunk(to, "iCCP", data);
      }
    }
    if (const auto& resolution = metadata.resolution) {
      const double scale = resolution->unit == Resolution::Unit::inch         ? 100 / 2.54
                           : resolution->unit == Resolution::Unit::centimetre ? 100
                                                                              : 1;
      Bytes data;
      for (const double v : {resolution->x, resolution->y})
        append32(data, static_cast<std::uint32_t>(std::lround(std::clamp(v * scale, 0.0, 2147483647.0))));
      data.push_back(resolution->unit == Resolution::Unit::none ? 0 : 1);
      append_chunk(to, "pHYs", data);
    }
    if (!metadata.exif.empty()) append_chunk(to, "eXIf", metadata.exif);
    if (!metadata.xmp.empty()) {
      Bytes data(kXmpKeyword, kXmpKeyword + sizeof kXmpKeyword);
      data.insert(data.end(), 4, 0);  // not packed, no language, no translated keyword
      data.insert(data.end(), metadata.xmp.begin(), metadata.xmp.end());
      append_chunk(to, "iTXt", data);
    }
  });
}

Bytes png_with_offset(const Bytes& file, int x, int y) {
  Bytes data;
  append32(data, static_cast<std::uint32_t>(x));
  append32(data, static_cast<std::uint32_t>(y));
  data.push_back(0);  // unit: pixels
  return with_chunks(file, [&](Bytes& to) { append_chunk(to, "oFFs", data); });
}

std::string png_hdr_transfer(const Metadata& metadata) {
  const Bytes* cicp = colour_chunk(metadata, "cICP", 4);
  return !cicp ? "" : (*cicp)[1] == 16 ? "PQ" : (*cicp)[1] == 18 ? "HLG" : "";
}

Bytes png_implied_profile(const Metadata& metadata, bool has_profile, int channels) {
  if (const Bytes* cicp = colour_chunk(metadata, "cICP", 4))
    if (Bytes profile = cicp_profile(*cicp, channels); !profile.empty()) return profile;
  if (has_profile || colour_chunk(metadata, "sRGB", 1)) return {};
  const Bytes *gama = colour_chunk(metadata, "gAMA", 4), *chrm = colour_chunk(metadata, "cHRM", 32);
  return gama || chrm ? gamma_profile(gama, chrm, channels) : Bytes{};
}

}  // namespace geometry_transfer::cli
