// SPDX-License-Identifier: GPL-3.0-or-later
/// A source and its mask, read. Every picture that uses them shares them.
#pragma once

#include <string>

#include "cli/mask_raster.h"
#include "cli/picture_raster.h"

namespace geometry_transfer::cli {

/// The rasters point to the pictures, so it must not move.
struct LoadedSource {
  /// Throws Error (input) as reading does, for sizes that differ, and for an empty mask.
  LoadedSource(const std::string& colour_path, const std::string& mask_path);
  LoadedSource(const LoadedSource&) = delete;

  Picture picture, mask_picture;
  PictureRaster colour;
  MaskRaster mask;
  cv::Point2d centre;  ///< of the mask's mass, pixels of the source
};

}  // namespace geometry_transfer::cli
