// SPDX-License-Identifier: GPL-3.0-or-later
/// A result as separate layers in a folder: one picture for each blending mode, and layers.json, which says how to
/// blend them.
#pragma once

#include <string>
#include <vector>

#include "cli/output_file.h"
#include "cli/picture.h"
#include "geometry-transfer/transfer.h"

namespace geometry_transfer::cli {

/// Returns all files that layer_files() makes in `folder`.
std::vector<std::string> layer_file_paths(const std::string& folder);

/// Makes shade.png, own-material.png, light.png and darkening.png with the depth and profile of `like`. Makes
/// layers.json, which lists them from bottom to top with blending mode and place. A mode without a layer gets a
/// transparent picture, so that no file of an earlier run stays. `area`: the result's; `layers`: from
/// ImagePart::separate(). Throws Cancelled when stopped.
std::vector<NewFile> layer_files(const std::string& folder, const std::vector<BlendLayer>& layers, const Rect& area,
                                 const Picture& like, const StopRequested& stop = {});

}  // namespace geometry_transfer::cli
