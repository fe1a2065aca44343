// SPDX-License-Identifier: GPL-3.0-or-later
/// TIFF and BigTIFF by libtiff.
#pragma once

#include "cli/picture.h"

namespace geometry_transfer::cli {

/// Decodes gray, palette and RGB (8 and 16 bits; gray and palette also 1, 2 and 4 bits), with or without one alpha
/// channel. Gray may be min-is-black or min-is-white. Reads strips and tiles, interleaved or in planes, and JPEG inside
/// TIFF. A palette becomes R G B. `orientation` receives the tag's value, 1 to 8; it is not applied. Other layouts are
/// refused by their
/// names: CMYK, Lab, float, several pages and so on. Throws Error (input) that names `path`, Cancelled when stopped.
Picture read_tiff(const Bytes& file, const std::string& path, int& orientation, const StopRequested& stop);

/// Encodes with LZW, with profile, resolution, EXIF and XMP. Alpha stays associated when it is so in the picture. Empty
/// when libtiff cannot.
Bytes write_tiff(const Picture& picture, const StopRequested& stop);

}  // namespace geometry_transfer::cli
