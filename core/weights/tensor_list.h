// SPDX-License-Identifier: GPL-3.0-or-later
/// Every tensor of a network, by the name that diffusers and transformers give it, from its configuration alone: to say at once
/// what a file lacks, and to write models for tests.
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

/// Numbers in all of them.
std::uint64_t count_numbers(const std::vector<TensorSpec>& tensors);

/// Throws Error (model) that lists what `checkpoint` lacks of `expected`, or has in another shape, and, unless `allow_more`,
/// what it has beyond.
void check_tensors(const Checkpoint& checkpoint, const std::vector<TensorSpec>& expected, bool allow_more);

/// "a, b, c and 12 more".
std::string some_of(const std::vector<std::string>& names);

}  // namespace geometry_transfer
