// SPDX-License-Identifier: GPL-3.0-or-later
/// ICC profiles (and a layer's offset) inside PNG, JPEG and TIFF files, which OpenCV neither reads nor writes.
#pragma once

#include <string>
#include <vector>

namespace geometry_transfer::cli {

using Bytes = std::vector<unsigned char>;

enum class Format { png, jpeg, tiff, other };

/// By the file's first bytes.
Format format_of(const Bytes& file);
/// True when a PNG or JPEG ends before its end marker. OpenCV fills the rest of such a JPEG with gray without a word.
bool ends_early(const Bytes& file);
/// The profile's bytes; empty when the file has none or it is damaged.
Bytes embedded_profile(const Bytes& file);
/// `file` with the profile put in; unchanged where the format cannot carry one.
Bytes with_profile(const Bytes& file, const Bytes& profile);
/// A PNG with its oFFs chunk, from which GIMP places the layer it opens; unchanged for other formats.
Bytes with_offset(const Bytes& file, int x, int y);

}  // namespace geometry_transfer::cli
