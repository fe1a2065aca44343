// SPDX-License-Identifier: GPL-3.0-or-later
/// The layers of one transfer as the core reads them.
#pragma once

#include <memory>
#include <vector>

#include "further_reference.h"
#include "geometry-transfer/transfer.h"
#include "host/host.h"

namespace geometry_transfer {

/// Throws Error (input) for what no transfer can work on: a channel, an indexed image, a floating selection. Does not look at the
/// selection or at a reference.
void check_target(host::Id image, host::Id target);

/// Where the geometry lies is said
///   on the main reference   by the selection of its image, else by that of the target's image; by its layer mask where it was
///                           brought in from another image;
///   on a further one        by its layer mask, else by the same;
/// what another image's selection says lands in the middle of this image's selection, or of the target. A texture reference shows
/// material where its layer mask does, else everywhere.
class Material {
 public:
  /// Throws Error (input) when they cannot be a transfer: nothing selected, no reference, a layer twice, what check_target
  /// refuses.
  Material(host::Id image, host::Id target, host::Id source, const std::vector<FurtherReference>& further = {});
  const Scene& scene() const { return scene_; }
  /// The main reference's selection's bounds on the target's canvas, before any placement.
  const Rect& selected() const { return selected_; }
  /// The centre of gravity of all that is carried over: what a placement scales and turns about.
  double centre_x() const { return centre_x_; }
  double centre_y() const { return centre_y_; }

  /// A reference as it lies on the target's canvas.
  struct Lying {
    host::Id layer;
    Rect extent;
    host::Id mask;       ///< a selection or a layer mask; kNone: all of a texture
    int mask_x, mask_y;  ///< the mask's 0,0 on the target's canvas
  };
  /// In the order of the references, the main one first.
  const std::vector<Lying>& lying() const { return lying_; }

 private:
  struct Marked;  // where the geometry lies on a layer
  Marked marked(host::Id layer, bool main) const;
  const Raster* raster(host::Id drawable, bool colour, int dx, int dy, const Rect& extent);
  void add_geometry(host::Id layer, bool main, bool clip, double weight);
  void add_texture(host::Id layer, double weight);
  void find_centre();

  host::Id image_, target_;
  Rect selected_;
  double centre_x_ = 0, centre_y_ = 0;
  std::vector<std::unique_ptr<Raster>> rasters_;
  std::vector<Lying> lying_;
  Scene scene_;
};

}  // namespace geometry_transfer
