// SPDX-License-Identifier: GPL-3.0-or-later
/// Mask files as coverage.
#pragma once

#include "cli/picture.h"

namespace geometry_transfer::cli {

/// The coverage of a mask file, [0, 1], scaled so that its strongest pixel is 1. Masks of 0 and 1, of gray 100, or of
/// faint strokes therefore work, too. The extent is the mask's bounds.
///
/// Read as coverage:
///   gray, or R = G = B            the value: white selects
///   one colour on black           the brightest channel
///   transparency                  the alpha, whatever the colours (a cut-out, black or white strokes)
///   black and white, transparency the value times alpha
class MaskRaster : public Raster {
 public:
  /// Throws Error (input) with the file's name for several colours, or for gray shades with transparency, because
  /// either could be the selection.
  explicit MaskRaster(const Picture& picture);
  int channels() const override { return 1; }
  Rect extent() const override { return bounds_; }
  void read(const Rect& area, Size size, float* out) const override;
  /// Centre of mass, canvas pixels.
  cv::Point2d centre() const;

 private:
  cv::Mat coverage_;  // over bounds_, one channel in the picture's depth
  double scale_ = 1;  // stored number -> [0,1]
  Rect bounds_;
};

}  // namespace geometry_transfer::cli
