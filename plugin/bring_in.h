// SPDX-License-Identifier: GPL-3.0-or-later
/// Copies references of other images into the target's image, so that a repeated or edited transfer finds them there.
#pragma once

#include "host/new_layer.h"
#include "scene_from_layers.h"

namespace geometry_transfer {

/// True if any of the references is a layer of another image.
bool from_elsewhere(host::Id image, host::Id source, const std::vector<FurtherReference>& further);

/// Returns a hidden copy of a layer of another image, at its place on the target's canvas. It is not in the image yet.
/// Its layer mask holds the geometry's selection. Empty if the host refuses.
NewLayer brought_in(host::Id image, const SceneFromLayers::PlacedReference& reference);
/// True for such a copy as long as it has its mask.
bool was_brought_in(host::Id layer);

}  // namespace geometry_transfer
