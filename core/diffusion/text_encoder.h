// SPDX-License-Identifier: GPL-3.0-or-later
/// transformers' CLIPTextModel and CLIPTextModelWithProjection, which give the UNet's cross-attention its context. It
/// runs once for each model, on the empty prompt, so it is written for little memory. It computes in fp32 on the CPU,
/// one layer's weights at a time. B rows, T tokens, C = hidden_size.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "diffusion/config.h"
#include "weights/checkpoint.h"

namespace geometry_transfer {

struct TextOutput {
  at::Tensor last_hidden_state;  ///< (B, T, C), after the final norm
  at::Tensor penultimate;        ///< (B, T, C): the input of the last layer, without the final norm
  at::Tensor pooled;             ///< (B, projection_dim), or (B, C) without a projection: at the token that ends the text
};

/// ids (B, T) int64 in [0, vocab_size), T at most max_positions. Each token attends to itself and earlier tokens only.
TextOutput encode_text(const TextConfig& config, const std::shared_ptr<const Checkpoint>& weights, const at::Tensor& ids);

/// Returns the tokens of the empty prompt: begin, end, then padding up to max_positions. Begin and end are the last two
/// tokens of CLIP's vocabularies. CLIP-L pads with the end token, OpenCLIP with 0. The ids in the configurations are
/// often wrong and are not used.
std::vector<std::int64_t> empty_prompt_ids(const TextConfig& config);

}  // namespace geometry_transfer
