// SPDX-License-Identifier: GPL-3.0-or-later
/// Converts between GEGL buffers and the core's pixels. No other file does.
#pragma once

#include "geometry-transfer/image.h"
#include "host/host.h"

namespace geometry_transfer {

/// Initialises GEGL without its operations, which are modules with libraries for video and network. Only buffers are
/// used here. The dialog then opens in about half the time.
void start_gegl();

/// A drawable or a selection in canvas coordinates. Read it from one thread only.
class GeglRaster : public Raster {
 public:
  enum class Kind {
    colour,  ///< R'G'B'A, converted from the buffer's own colour space to sRGB
    mask,    ///< Y: the stored coverage, without a transfer curve
  };
  /// `origin`: the place of the buffer's 0,0 on the canvas. `extent`: the area with pixels, on the canvas.
  GeglRaster(host::Buffer buffer, Kind kind, int origin_x, int origin_y, const Rect& extent)
      : buffer_(std::move(buffer)), kind_(kind), x_(origin_x), y_(origin_y), extent_(extent) {}

  int channels() const override { return kind_ == Kind::colour ? 4 : 1; }
  Rect extent() const override { return extent_; }
  void read(const Rect& area, Size size, float* out) const override;

 private:
  void copy(const Rect& area, float* out) const;

  host::Buffer buffer_;
  Kind kind_;
  int x_, y_;
  Rect extent_;
};

/// Writes a layer into a buffer whose 0,0 is the layer's top left.
void write_layer(GeglBuffer* buffer, const Layer& layer);

}  // namespace geometry_transfer
