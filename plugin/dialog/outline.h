// SPDX-License-Identifier: GPL-3.0-or-later
/// The outline of a mask, for drawing over a picture.
#pragma once

#include <cairo.h>

#include <vector>

#include "geometry-transfer/image.h"

namespace geometry_transfer {

class Outline {
 public:
  Outline() = default;
  /// Follows the pixels with a coverage of at least a half. The mask is read with at most `most` pixels on its longer
  /// side.
  explicit Outline(const Raster& mask, int most = 256);

  /// Adds the outline to cairo's path, in canvas coordinates.
  void add_to_path(cairo_t* cairo) const;

 private:
  struct Line {
    double x0, y0, x1, y1;  // on the canvas
  };
  std::vector<Line> lines_;
};

/// Strokes cairo's path with a dark line under a light one, which can be seen on any picture. Clears the path.
void stroke_visibly(cairo_t* cairo);

}  // namespace geometry_transfer
