// SPDX-License-Identifier: GPL-3.0-or-later
/// A reference's picture and mask, read from files and checked.
#pragma once

#include <memory>
#include <string>

#include "cli/mask_raster.h"
#include "cli/picture_raster.h"
#include "geometry-transfer/transfer.h"

namespace geometry_transfer::cli {

/// Do not move it: the rasters point into its pictures.
struct LoadedReference {
  /// Throws Error (input) if a file cannot be read, the sizes differ, the picture is smaller than 8 x 8 pixels or the
  /// mask is empty. Throws Cancelled soon after `stop` says so.
  LoadedReference(const std::string& colour_path, const std::string& mask_path, const StopRequested& stop = {});
  LoadedReference(const LoadedReference&) = delete;

  Picture picture, mask_picture;
  PictureRaster colour;
  MaskRaster mask;
  cv::Point2d centre;  ///< of the mask's mass, pixels of the picture
  std::unique_ptr<KeptReference> cache;
};

}  // namespace geometry_transfer::cli
