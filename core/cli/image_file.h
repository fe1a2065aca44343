// SPDX-License-Identifier: GPL-3.0-or-later
/// Picture files and the library's rasters and layers: the only place where the two meet. PNG, JPEG and TIFF, 8 and 16 bit.
#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "cli/colour_profile.h"
#include "geometry-transfer/image.h"

namespace geometry_transfer::cli {

/// A picture as it is stored: the file's depth, channels and profile.
struct Picture {
  std::string path;
  cv::Mat pixels;  ///< CV_8U or CV_16U; 1 (gray), 3 (B, G, R) or 4 (B, G, R, A) channels
  Bytes profile;   ///< ICC; empty: sRGB

  bool has_alpha() const { return pixels.channels() == 4; }
  Size size() const { return {pixels.cols, pixels.rows}; }
};

/// Throws Error (input) that names the file: missing, unreadable, truncated, of an unknown format or depth.
Picture read_picture(const std::string& path);

/// The picture's colours at (0, 0) of the canvas.
class PictureRaster : public Raster {
 public:
  explicit PictureRaster(const Picture& picture);
  int channels() const override { return 4; }
  Rect extent() const override { return {0, 0, picture_.pixels.cols, picture_.pixels.rows}; }
  void read(const Rect& area, Size size, float* out) const override;

 private:
  const Picture& picture_;
  ColourProfile colours_;
};

/// A picture as coverage: its gray value (white selects), times its alpha. The extent is its bounds.
class MaskRaster : public Raster {
 public:
  explicit MaskRaster(const Picture& picture);
  int channels() const override { return 1; }
  Rect extent() const override { return bounds_; }
  void read(const Rect& area, Size size, float* out) const override;
  /// Centre of mass, canvas pixels.
  cv::Point2d centre() const;

 private:
  cv::Mat coverage_;  // over bounds_, one channel of the picture's depth: what is read becomes float
  Rect bounds_;
};

/// Lays the layer over the picture, in the picture's own depth, channels and colours. Where the layer's alpha is 0 the stored
/// numbers stay as they are; the picture's alpha stays everywhere.
void lay_over(Picture& picture, const Layer& layer);

/// The layer alone, R'G'B'A with `like`'s depth and profile.
Picture layer_picture(const Layer& layer, const Picture& like);

/// Refuses what the format of `path` cannot hold, and what cannot be written there, before any work is done.
void check_output(const std::string& path, int depth, bool alpha, Size size);

/// The picture in the format of `path`. `offset`: noted in PNG files for GIMP.
Bytes encoded(const std::string& path, const Picture& picture, cv::Point offset = {});

}  // namespace geometry_transfer::cli
