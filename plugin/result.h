// SPDX-License-Identifier: GPL-3.0-or-later
/// Puts a transfer's result into the image.
#pragma once

#include "run.h"
#include "scene_from_layers.h"
#include "settings.h"

namespace geometry_transfer {

/// A transfer's result before it is in the image.
struct MadeResult {
  Layer pixels;
  std::vector<BlendLayer> separate;  ///< from bottom to top: written in place of `pixels`, in a group; empty: one layer
  Report report;
};

/// Adds the result to call.image in one undo step and returns its layer.
///   Place       directly above the target and its earlier results, or above a layer that would hide it.
///   Layers      `made.pixels` as one layer, or a group of `made.separate`, which is returned then.
///   Name        `name`, see result_name. It is a parameter because the reference may be gone by now.
///   Opacity     and mask and mode of the target are the result's, too: if they are not the usual ones, they are moved
///               to a new group of both.
///   References  a reference that lies above the target is hidden, or it would cover the result. Copies of other
///               images' references are added if call.bring_in asks for them.
///   Selection   a copy of it is kept as an invisible channel.
///   Previous    if call.previous is a layer, the result replaces it.
/// Fills in `settings`' layers and stores it with the result. Throws Error if the image or the target was closed or
/// deleted meanwhile, or if the host refuses a layer. The image is then as before.
host::Id write_result(const Call& call, const SceneFromLayers& layers, const std::string& name, Remembered& settings,
                      const MadeResult& transfer);

/// The name for a result: what was carried, and from where.
std::string result_name(const Call& call);

}  // namespace geometry_transfer
