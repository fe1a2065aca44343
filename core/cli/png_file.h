// SPDX-License-Identifier: GPL-3.0-or-later
/// PNG by libpng.
#pragma once

#include "cli/picture.h"

namespace geometry_transfer::cli {

/// Decodes every layout of PNG: a palette becomes R G B, 1, 2 and 4 bits become 8, a transparent key becomes alpha.
/// Orientation is not applied. Throws Error (input) that names `path` for damaged files, animations and HDR transfers;
/// Cancelled when stopped.
Picture read_png(const Bytes& file, const std::string& path, const StopRequested& stop);

/// Encodes the pixels with profile, colour chunks, resolution, EXIF and XMP. Empty when libpng cannot (a side over
/// 1000000).
Bytes write_png(const Picture& picture, const StopRequested& stop);

}  // namespace geometry_transfer::cli
