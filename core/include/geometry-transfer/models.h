// SPDX-License-Identifier: GPL-3.0-or-later
/// Models on this machine, found by looking at files' names and headers only: no weights are read, no libtorch is needed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace geometry_transfer {

struct ModelInfo {
  std::string name;    ///< for people: "surface", "v1-5-pruned-emaonly"
  std::string path;    ///< a diffusers folder or a .safetensors file
  std::string family;  ///< "surface", "SD 1.x", "SD 2.x", "SDXL"; empty when unusable
  std::uint64_t bytes = 0;
  std::string problem;  ///< why it cannot be used; empty when it can
};

/// The model that ships; its path is empty when it is not installed.
ModelInfo shipped_model();
/// The shipped one first, then those in the usual places (Hugging Face cache, ComfyUI, A1111 and Forge, Krita AI Diffusion,
/// $GEOMETRY_TRANSFER_MODELS), by name. Never throws: what cannot be read is listed with its problem.
std::vector<ModelInfo> list_models();
/// Looks at one path. Never throws.
ModelInfo inspect_model(const std::string& path);
/// The family of a request's model: "surface" for the empty path, empty when the model cannot be used. Never throws.
std::string model_family(const std::string& path);

}  // namespace geometry_transfer
