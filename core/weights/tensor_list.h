// SPDX-License-Identifier: GPL-3.0-or-later
/// Lists the tensors of a network from its configuration, by their names in diffusers and transformers. The list serves
/// to check files and to write test models.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diffusion/config.h"
#include "weights/checkpoint.h"

namespace geometry_transfer {

struct TensorSpec {
  std::string key;
  std::vector<std::int64_t> shape;
};

std::vector<TensorSpec> unet_tensors(const UNetConfig& config);
std::vector<TensorSpec> vae_tensors(const VaeConfig& config);
std::vector<TensorSpec> text_tensors(const TextConfig& config);

/// Returns the sum of all tensors' element counts.
std::uint64_t count_numbers(const std::vector<TensorSpec>& tensors);

/// Throws Error (model) that lists tensors which are missing or have another shape, and unknown ones unless
/// `allow_more`.
void check_tensors(const Checkpoint& checkpoint, const std::vector<TensorSpec>& expected, bool allow_more);

/// "a, b, c and 12 more".
std::string some_of(const std::vector<std::string>& names);

}  // namespace geometry_transfer
