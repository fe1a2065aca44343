// SPDX-License-Identifier: GPL-3.0-or-later
/// TIFF and BigTIFF by libtiff.
#pragma once

#include "cli/picture.h"

namespace geometry_transfer::cli {

/// Decodes gray and RGB of 1, 2, 4, 8 and 16 bits (below 8 bits only gray or palette), min-is-black or min-is-white,
/// with or without one alpha channel, in strips or tiles, interleaved or in planes, and JPEG inside TIFF. A palette
/// becomes R G B. `orientation` receives the tag's value, 1 to 8; it is not applied. Other layouts are refused by their
/// names: CMYK, Lab, float, several pages and so on. Throws Error (input) that names `path`, Cancelled when stopped.
Picture read_tiff(const Bytes& file, const std::string& path, int& orientation, const StopRequested& stop);

/// Encodes with LZW, with profile, resolution, EXIF and XMP. Alpha stays associated when it is so in the picture. Empty when
/// libtiff cannot.
Bytes write_tiff(const Picture& picture, const StopRequested& stop);

}  // namespace geometry_transfer::cli
