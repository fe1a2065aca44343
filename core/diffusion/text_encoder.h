// SPDX-License-Identifier: GPL-3.0-or-later
/// transformers CLIPTextModel and CLIPTextModelWithProjection: what a UNet's cross-attention reads. Evaluated once a model, for
/// the empty prompt, so it is written for little memory: in fp32 on the CPU, one layer's weights at a time. B rows, T tokens, C =
/// hidden_size.
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
  at::Tensor penultimate;        ///< (B, T, C): what enters the last layer, without the final norm
  at::Tensor pooled;             ///< (B, projection_dim), or (B, C) without a projection: the token that ends the text
};

/// ids (B, T) int64 in [0, vocab_size), T at most max_positions. Tokens see those before them only.
TextOutput encode_text(const TextConfig& config, const std::shared_ptr<const Checkpoint>& weights, const at::Tensor& ids);

/// The empty prompt as the family's tokenizer gives it: begin, end, then padding up to max_positions. CLIP's vocabularies end
/// with these two; CLIP-L pads with the end token, OpenCLIP with 0. (The configurations' own ids are often wrong.)
std::vector<std::int64_t> empty_prompt_ids(const TextConfig& config);

}  // namespace geometry_transfer
