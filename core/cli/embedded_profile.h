// SPDX-License-Identifier: GPL-3.0-or-later
/// ICC profiles (and a layer's offset) inside PNG, JPEG and TIFF files, which OpenCV neither reads nor writes; and what a file
/// says of its size, before anything is decoded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace geometry_transfer::cli {

using Bytes = std::vector<unsigned char>;

enum class Format { png, jpeg, tiff, other };

/// By the file's first bytes.
Format format_of(const Bytes& file);
/// True when a PNG or JPEG ends before its end marker. OpenCV fills the rest of such a JPEG with gray without a word.
bool ends_early(const Bytes& file);
/// What a file's header says of the picture.
struct Claim {
  std::uint64_t width = 0, height = 0;  ///< 0: it does not say
  std::uint64_t bytes = 0;              ///< decoded, 8 or 16 bits a channel, and what the decoder needs beside
  bool possible = true;                 ///< false: the file is shorter than the best compression of so many pixels
};
Claim claimed_size(const Bytes& file);
/// The profile's bytes; empty when the file has none or it is damaged.
Bytes embedded_profile(const Bytes& file);
/// `file` with the profile put in; unchanged where the format cannot carry one.
Bytes with_profile(const Bytes& file, const Bytes& profile);
/// A PNG with its oFFs chunk, from which GIMP places the layer it opens; unchanged for other formats.
Bytes with_offset(const Bytes& file, int x, int y);

}  // namespace geometry_transfer::cli
