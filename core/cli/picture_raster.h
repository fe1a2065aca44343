// SPDX-License-Identifier: GPL-3.0-or-later
/// Pictures as the library's rasters, and layers back onto pictures.
#pragma once

#include "cli/colour_profile.h"
#include "cli/picture.h"

namespace geometry_transfer::cli {

/// The picture's colours at (0, 0) of the canvas. The picture must outlive it.
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

/// Blends the layer into the picture, in the picture's own depth, channels and colours. Pixels where the layer's alpha
/// is 0 keep their stored numbers. The picture's alpha does not change. Returns false when no stored number changed.
bool lay_over(Picture& picture, const Layer& layer);

/// Returns the layer alone as R'G'B'A with straight alpha, in the depth, profile and resolution of `like`. For a gray
/// `like` it is sRGB.
Picture layer_picture(const Layer& layer, const Picture& like);

/// Returns the pixels with colours divided by alpha if they are stored premultiplied, else the pixels themselves.
cv::Mat straight_alpha(const Picture& picture);

/// Returns the largest stored number of a depth: 255 for CV_8U, 65535 for CV_16U.
double full_scale(int depth);

/// Resamples to `size`: area average when smaller, else bilinear. Returns `pixels` itself when the size is the same.
cv::Mat resampled(const cv::Mat& pixels, Size size);

}  // namespace geometry_transfer::cli
