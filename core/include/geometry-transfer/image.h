// SPDX-License-Identifier: GPL-3.0-or-later
/// Pixels and their places. Std types only.
///
/// Conventions of all public headers:
///   colour   R'G'B' (sRGB primaries, sRGB transfer curve), float, 0 black to 1 white, straight alpha.
///            Values outside [0,1] may occur.
///   layout   interleaved, rows from top to bottom, no padding.
///   canvas   one coordinate system in whole pixels for target, references and masks: x to the right, y down.
#pragma once

#include <vector>

namespace geometry_transfer {

struct Size {
  int width = 0, height = 0;
};

/// Half open: holds the pixels with x <= px < x + width, y <= py < y + height.
struct Rect {
  int x = 0, y = 0, width = 0, height = 0;
  bool empty() const { return width <= 0 || height <= 0; }
  int right() const { return x + width; }
  int bottom() const { return y + height; }
};

inline bool operator==(const Rect& a, const Rect& b) {
  return a.x == b.x && a.y == b.y && a.width == b.width && a.height == b.height;
}

/// A source of pixels: a layer, a selection, a file. Only the requested part is read, so the cost depends on the
/// working rectangle, not on the canvas.
class Raster {
 public:
  virtual ~Raster() = default;
  /// 4 (R'G'B'A) for colour, 1 (coverage in [0,1]) for masks.
  virtual int channels() const = 0;
  /// Returns the area with pixels, on the canvas. Outside it colour is undefined and a mask is 0. A mask's extent may
  /// be as tight as its bounds.
  virtual Rect extent() const = 0;
  /// Reads the part `area`, which lies inside extent(), resampled to `size`, into `out` (size.width * size.height *
  /// channels() floats). Averages areas if `size` is smaller than `area`, copies if it is equal. Throws Error if the
  /// pixels cannot be read.
  virtual void read(const Rect& area, Size size, float* out) const = 0;
};

/// A result: R'G'B'A pixels whose top left is (area.x, area.y) on the canvas. The target's pixel stays where alpha
/// is 0.
struct Layer {
  Rect area;
  std::vector<float> rgba;  ///< area.width * area.height * 4
};

/// One of the layers that together give a result.
struct BlendLayer {
  enum class Mode {
    multiply,  ///< below * layer: the geometry's shade
    normal,    ///< the layer by its alpha: the reference's own material
    add,       ///< below + layer: light
    subtract,  ///< below - layer
  };
  Mode mode;
  Layer pixels;
};

}  // namespace geometry_transfer
