// SPDX-License-Identifier: GPL-3.0-or-later
/// Picture files: PNG, JPEG and TIFF, 8 and 16 bits a channel. docs/formats.md lists the layouts.
#pragma once

#include "cli/picture.h"

namespace geometry_transfer::cli {

/// Reads and decodes a file and turns it upright. Throws Error (input) that names the file: missing, unreadable,
/// damaged, or of a layout that cannot be read exactly. Throws Error (system) when memory does not suffice, Cancelled
/// when stopped.
Picture read_picture(const std::string& path, const StopRequested& stop = {});

/// Throws Error if the format of `path` cannot hold such a picture, or if the file cannot be written. Call it before
/// any work. `depth`: CV_8U or CV_16U.
void check_output(const std::string& path, int depth, bool alpha, Size size);

/// Encodes the picture in the format that the ending of `path` names. `offset`: where GIMP places it as a layer (PNG
/// only).
Bytes encoded(const std::string& path, const Picture& picture, cv::Point offset = {}, const StopRequested& stop = {});

}  // namespace geometry_transfer::cli
