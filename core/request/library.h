// SPDX-License-Identifier: GPL-3.0-or-later
/// The names under which the two parts are found.
#pragma once

#include "geometry-transfer/transfer.h"

namespace geometry_transfer {

/// A part of another number is refused: raise the first for a change of the public headers. The sizes tell most of what that
/// forgets, so that parts of two builds never meet.
constexpr int kAbi = 3 * 1000000 + static_cast<int>(sizeof(Request) * 31 + sizeof(Report) * 7 + sizeof(Scene));

constexpr char kImageLibrary[] = "libgeometry-transfer-image.so.0";
constexpr char kDiffusionLibrary[] = "libgeometry-transfer.so.0";

/// extern "C" const ImagePart* geometry_transfer_image_part(int abi): nullptr when abi is another.
constexpr char kImageEntry[] = "geometry_transfer_image_part";
constexpr char kDiffusionEntry[] = "geometry_transfer_diffusion_part";

}  // namespace geometry_transfer

/// On declarations that another shared object of ours uses; everything else is hidden.
#define GT_EXPORT __attribute__((visibility("default")))
