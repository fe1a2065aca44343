// SPDX-License-Identifier: GPL-3.0-or-later
/// Opens a model: configurations and tensors of its parts, from a diffusers folder or a single-file checkpoint.
#pragma once

#include <memory>
#include <string>

#include "diffusion/config.h"
#include "geometry-transfer/request.h"
#include "weights/checkpoint.h"

namespace geometry_transfer {

struct ModelFiles {
  std::string name, path;
  std::string family;  ///< "surface", "SD 1.x", "SD 2.x" or "SDXL"; see family_of() in model_files.cpp
  UNetConfig unet;
  VaeConfig vae;
  SchedulerConfig scheduler;
  TextConfig text;    ///< .layers == 0: the model has none, its context is zeros
  TextConfig text_2;  ///< SDXL's second encoder; .layers == 0 elsewhere
  std::shared_ptr<const Checkpoint> unet_weights, vae_weights, text_weights, text_2_weights;  ///< text ones null where absent
};

/// Returns true if the model reads a prompt. Only the shipped model does not; its context is one token of zeros.
inline bool reads_text(const ModelFiles& files) { return files.family != "surface"; }

/// Maps the files and reads the configurations. It reads no weights, except one bias of single SD 2.x files. Throws
/// Error (model) that names the fault and the way out. Faults are missing or truncated files, another kind of model
/// (inpainting, Flux, .ckpt, GGUF), and a configuration key that this program does not know how to honour. All tensors
/// are there and have the shapes that the configurations ask for. `prediction` overrides what the files say.
ModelFiles open_model(const std::string& path, Prediction prediction = Prediction::automatic);

}  // namespace geometry_transfer
