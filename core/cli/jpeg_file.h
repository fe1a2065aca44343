// SPDX-License-Identifier: GPL-3.0-or-later
/// JPEG by libjpeg-turbo.
#pragma once

#include "cli/picture.h"

namespace geometry_transfer::cli {

constexpr int jpeg_largest_side = 65500;  ///< libjpeg's limit, pixels

/// Decodes gray and colour JPEG, baseline or progressive. Orientation is not applied. A file that lacks only its end
/// marker is read. Throws Error (input) that names `path`: damaged or missing data, CMYK, 12 bits, too many scans.
/// Throws Cancelled when stopped.
Picture read_jpeg(const Bytes& file, const std::string& path, const StopRequested& stop);

/// Returns size and memory from the header; width 0 if the header is missing.
Claim jpeg_claim(const Bytes& file);

/// Encodes at quality 95 with profile, resolution, EXIF and XMP. Empty when a side is too long for JPEG.
Bytes write_jpeg(const Picture& picture, const StopRequested& stop);

}  // namespace geometry_transfer::cli
