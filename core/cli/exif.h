// SPDX-License-Identifier: GPL-3.0-or-later
/// EXIF blocks, and the same tags in TIFF files. A block is a small TIFF file without pixels, in either byte order.
#pragma once

#include "cli/picture.h"

namespace geometry_transfer::cli {

/// EXIF's orientation: 1 upright, 2 to 8 mirrored or turned. 1 when the block has none or a wrong one.
int exif_orientation(const Bytes& exif);
/// Sets the orientation in EXIF and XMP to 1. Called once the pixels were turned.
void mark_upright(Metadata& metadata);

/// The descriptive tags (camera, author, time, place) of a TIFF file as an EXIF block. Empty when it has none. Reads
/// TIFF and BigTIFF; at most a megabyte of values.
Bytes exif_of_tiff(const Bytes& file);
/// A little-endian TIFF `file` with the descriptive tags of an EXIF block. Returns `file` unchanged when the block
/// holds none.
Bytes tiff_with_exif(const Bytes& file, const Bytes& exif);

}  // namespace geometry_transfer::cli
