// SPDX-License-Identifier: GPL-3.0-or-later
/// Builds the core's Scene from the layers of an image.
#pragma once

#include <memory>
#include <vector>

#include "further_reference.h"
#include "geometry-transfer/transfer.h"
#include "host/host.h"

namespace geometry_transfer {

/// Throws Error (input) if `target` cannot be a target: a channel, a layer of an indexed image, or one with a floating
/// selection. Does not check the selection or the references.
void check_target(host::Id image, host::Id target);

/// The scene of one transfer. The geometry's mask comes from
///   the main reference    its image's selection, else the selection of the target's image; its layer mask if the
///                         plug-in brought it in from another image (bring_in.h);
///   a further reference   its layer mask, else as the main one.
/// The geometry of another image is centred on this image's selection, else on the target. A texture reference counts
/// where its layer mask is not 0, or everywhere if it has none.
class SceneFromLayers {
 public:
  /// `selection`: a channel of `image` that takes the place of its selection; kNone: the selection itself.
  /// Throws Error (input) if nothing is selected, there is no reference, a layer is used twice, or check_target
  /// refuses.
  SceneFromLayers(host::Id image, host::Id target, host::Id source, const std::vector<FurtherReference>& further = {},
                  host::Id selection = host::kNone);
  /// True if a reference's geometry is where the selection of the target's image, or the channel in its place, says.
  bool uses_selection() const { return uses_selection_; }
  const Scene& scene() const { return scene_; }
  /// The bounds of the main reference's mask on the target's canvas, before the placement.
  const Rect& selected() const { return selected_; }
  /// The centre of gravity of all geometry: the placement scales and turns about it. Pixels of the target's canvas.
  double centre_x() const { return centre_x_; }
  double centre_y() const { return centre_y_; }

  /// A reference at its place on the target's canvas.
  struct PlacedReference {
    host::Id layer;
    Rect extent;
    host::Id mask;       ///< a selection or a layer mask; kNone: the whole texture
    int mask_x, mask_y;  ///< where the mask's pixel 0,0 lies on the target's canvas
  };
  /// All references, the main one first.
  const std::vector<PlacedReference>& placed_references() const { return placed_references_; }

 private:
  struct GeometryMask;
  GeometryMask geometry_mask(host::Id layer, bool main) const;
  const Raster* raster(host::Id drawable, bool colour, int x, int y, const Rect& extent);
  void add_geometry(host::Id layer, bool main, bool clip, double weight);
  void add_texture(host::Id layer, double weight);
  void find_centre();

  host::Id image_, target_, selection_;
  mutable bool uses_selection_ = false;
  Rect selected_;
  double centre_x_ = 0, centre_y_ = 0;
  std::vector<std::unique_ptr<Raster>> rasters_;
  std::vector<PlacedReference> placed_references_;
  Scene scene_;
};

}  // namespace geometry_transfer
