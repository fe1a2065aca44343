// SPDX-License-Identifier: GPL-3.0-or-later
/// The names under which the two parts are loaded.
#pragma once

#include <string>
#include <vector>

#include "geometry-transfer/transfer.h"

namespace geometry_transfer {

/// The version of the interface between the parts. Parts of another version are refused. Raise the first number when
/// the public headers change. The sizes catch most changes that were forgotten, so parts of two builds do not mix.
constexpr int kAbi = 6 * 1000000 + static_cast<int>(sizeof(Request) * 31 + sizeof(Report) * 7 + sizeof(Scene));

constexpr char kImageLibrary[] = "libgeometry-transfer-image.so.0";
constexpr char kDiffusionLibrary[] = "libgeometry-transfer.so.0";

/// The folders in which the loader looks for a library of this program, in its order.
std::vector<std::string> library_folders();

/// Type of the entry point: returns the part, or nullptr if `abi` is another version.
constexpr char kImageEntry[] = "geometry_transfer_image_part";
constexpr char kDiffusionEntry[] = "geometry_transfer_diffusion_part";

}  // namespace geometry_transfer

/// Marks declarations that another shared object of this project uses. Everything else is hidden.
#define GT_EXPORT __attribute__((visibility("default")))
