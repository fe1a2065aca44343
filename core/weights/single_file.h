// SPDX-License-Identifier: GPL-3.0-or-later
/// Opens single-file checkpoints of Stable Diffusion 1.x, 2.x and SDXL in the naming of the original latent diffusion
/// code. Such a file has no configuration: family, widths and depths are derived from keys and shapes.
#pragma once

#include <memory>
#include <string>

#include "weights/model_files.h"

namespace geometry_transfer {

/// Throws Error (model) that names another kind of model, or lists missing and unknown keys.
ModelFiles open_single_file(const std::string& path, Prediction prediction);

/// Does the same for an open checkpoint, without checking that groups and heads divide the widths.
ModelFiles single_file_model(std::shared_ptr<const Checkpoint> file, Prediction prediction);

}  // namespace geometry_transfer
