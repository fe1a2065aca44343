// SPDX-License-Identifier: GPL-3.0-or-later
/// Finds models on this machine. Looks at names and headers of files only. Reads no weights and needs no libtorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace geometry_transfer {

struct ModelInfo {
  std::string name;    ///< for people: "surface", "v1-5-pruned-emaonly"
  std::string path;    ///< a diffusers folder or a .safetensors file
  std::string family;  ///< "surface", "SD 1.x", "SD 2.x", "SDXL"; empty if the model cannot be used
  std::uint64_t bytes = 0;
  std::string problem;  ///< why it cannot be used; empty if it can
};

/// Returns the shipped model. Its path is empty if it is not installed.
ModelInfo shipped_model();
/// Returns the shipped model, then those in the usual places, by name: Hugging Face cache, ComfyUI, A1111 and Forge,
/// Krita AI Diffusion, $GEOMETRY_TRANSFER_MODELS, folders in extra_model_paths.yaml. Never throws; a model that cannot
/// be read is listed with its problem.
std::vector<ModelInfo> list_models();
/// Looks at one path. Never throws.
ModelInfo inspect_model(const std::string& path);
/// Returns the family of a request's model: "surface" for the empty path, empty if the model cannot be used. Never
/// throws.
std::string model_family(const std::string& path);

}  // namespace geometry_transfer
