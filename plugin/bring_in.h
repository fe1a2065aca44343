// SPDX-License-Identifier: GPL-3.0-or-later
/// References of other images, kept in the target's: what is repeated or edited again later finds them there.
#pragma once

#include "host/new_layer.h"
#include "scene_from_layers.h"

namespace geometry_transfer {

/// Whether any of the references is a layer of another image.
bool from_elsewhere(host::Id image, host::Id source, const std::vector<FurtherReference>& further);

/// A hidden copy of a layer of another image at its place on the target's canvas, not in the image yet. Its layer mask shows
/// where the geometry is, and goes on saying so. Empty when the host refuses.
NewLayer brought_in(host::Id image, const SceneFromLayers::PlacedReference& reference);
/// True for such a copy, as long as it has its mask.
bool was_brought_in(host::Id layer);

}  // namespace geometry_transfer
