// SPDX-License-Identifier: GPL-3.0-or-later
/// One-file checkpoints in the naming of the original latent diffusion code: Stable Diffusion 1.x, 2.x and SDXL, as most people
/// have them. Such a file says nothing about itself: family, widths and depths are read off its keys and shapes.
#pragma once

#include <memory>
#include <string>

#include "weights/model_files.h"

namespace geometry_transfer {

/// Throws Error (model) that names the kind where it is another one, and lists keys that are missing or too many.
ModelFiles open_single_file(const std::string& path, Prediction prediction);

/// The same on a checkpoint that is open already, before the family's groups and heads are held against its widths.
ModelFiles single_file_model(std::shared_ptr<const Checkpoint> file, Prediction prediction);

}  // namespace geometry_transfer
