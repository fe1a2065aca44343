// SPDX-License-Identifier: GPL-3.0-or-later
/// The chunks of a PNG file that hold no pixels: colour, resolution, EXIF, XMP, a layer's offset. libpng decodes the
/// pixels.
#pragma once

#include "cli/picture.h"

namespace geometry_transfer::cli {

/// True when the file has its end chunk.
bool png_is_whole(const Bytes& file);
/// Returns size and memory from the header chunk; width 0 if it is missing.
Claim png_claim(const Bytes& file);
/// Frames of an animated PNG; 1 for a still one.
std::uint32_t png_frames(const Bytes& file);
/// The unpacked ICC profile; empty when there is none or it is damaged.
Bytes png_profile(const Bytes& file);
/// EXIF (with its orientation as stored), XMP, resolution and colour chunks. Damaged chunks are left out.
Metadata png_metadata(const Bytes& file);
/// `file` with these chunks after its header. A profile replaces an sRGB chunk: a file may hold only one of them.
Bytes png_with_metadata(const Bytes& file, const Metadata& metadata, const Bytes& profile);
/// `file` with an oFFs chunk, in pixels. GIMP places the layer by it.
Bytes png_with_offset(const Bytes& file, int x, int y);

/// The high dynamic range transfer that a cICP chunk names ("PQ", "HLG"); "" for any other.
std::string png_hdr_transfer(const Metadata& metadata);
/// An ICC profile with the meaning of cICP, or of gAMA and cHRM. Empty when the chunks mean sRGB, are absent, or a
/// profile or an sRGB chunk counts more. `channels`: 1 gray, 3 colour.
Bytes png_implied_profile(const Metadata& metadata, bool has_profile, int channels);

}  // namespace geometry_transfer::cli
