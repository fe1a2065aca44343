// SPDX-License-Identifier: GPL-3.0-or-later
/// The names under which the two parts are found.
#pragma once

namespace geometry_transfer {

/// Counts changes of the public headers; a part of another count is refused.
constexpr int kAbi = 1;

constexpr char kImageLibrary[] = "libgeometry-transfer-image.so.0";
constexpr char kDiffusionLibrary[] = "libgeometry-transfer.so.0";

/// extern "C" const ImagePart* geometry_transfer_image_part(int abi): nullptr when abi is another.
constexpr char kImageEntry[] = "geometry_transfer_image_part";
constexpr char kDiffusionEntry[] = "geometry_transfer_diffusion_part";

}  // namespace geometry_transfer

/// On declarations that another shared object of ours uses; everything else is hidden.
#define GT_EXPORT __attribute__((visibility("default")))
