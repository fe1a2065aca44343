// SPDX-License-Identifier: GPL-3.0-or-later
/// The only crossing between GEGL's buffers and the core's pixels.
#pragma once

#include "geometry-transfer/image.h"
#include "host/host.h"

namespace geometry_transfer {

/// gegl_init without GEGL's operations, a folder of modules with libraries of their own (video, network): only buffers are used
/// here, and the dialog is there in about half the time.
void start_gegl();

/// A drawable or a selection, seen from the canvas. Reads from one thread only.
class GeglRaster : public Raster {
 public:
  enum class Kind {
    colour,  ///< R'G'B'A, converted from the buffer's own colour space to sRGB
    mask,    ///< Y: the stored coverage as it is, without a transfer curve
  };
  /// `origin`: where the buffer's 0,0 lies on the canvas. `extent`: what exists, on the canvas.
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

/// Fills a buffer whose 0,0 is the layer's top left.
void write_layer(GeglBuffer* buffer, const Layer& layer);

}  // namespace geometry_transfer
