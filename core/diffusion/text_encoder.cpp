// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/text_encoder.h"

#include <c10/core/GradMode.h>

#include <cmath>
#include <limits>

#include "diffusion/layers.h"

namespace geometry_transfer {
namespace {

/// Reads the rows `ids` of a table in the file. The whole vocabulary of 49408 would take 250 MB in fp32.
Tensor rows_of(const std::shared_ptr<const Checkpoint>& weights, const std::string& key, int64_t count, int64_t width,
               const Tensor& ids) {
  const TensorView* view = weights->find(key);
  const Weights stored(weights, view ? scalar_type(view->dtype) : at::kFloat);
  return stored.tensor(key, {count, width}).index_select(0, ids).to(at::kFloat);
}

/// Causal self-attention. x (B, T, C).
Tensor attend(const Weights& weights, const Tensor& x, int64_t heads, const Tensor& mask) {
  const int64_t rows = x.size(0), tokens = x.size(1), channels = x.size(2), size = channels / heads;
  const auto project = [&](const char* name) {
    return Linear(weights[name], channels, channels)(x).view({rows, tokens, heads, size}).transpose(1, 2);
  };
  const Tensor q = project("q_proj") / std::sqrt(static_cast<double>(size));
  const Tensor scores = at::matmul(q, project("k_proj").transpose(-1, -2)) + mask;
  const Tensor mixed = at::matmul(scores.softmax(-1), project("v_proj")).transpose(1, 2).reshape({rows, tokens, channels});
  return Linear(weights["out_proj"], channels, channels)(mixed);
}

Tensor layer(const TextConfig& config, const Weights& weights, const Tensor& x, const Tensor& mask) {
  const int64_t width = config.hidden_size;
  const Tensor attended =
      x + attend(weights["self_attn"], LayerNorm(weights["layer_norm1"], width, config.layer_norm_eps)(x), config.heads, mask);
  const Tensor normed = LayerNorm(weights["layer_norm2"], width, config.layer_norm_eps)(attended);
  const Tensor inner = Linear(weights["mlp"]["fc1"], width, config.intermediate_size)(normed);
  const Tensor active = config.quick_gelu ? inner * at::sigmoid(1.702 * inner) : at::gelu(inner);
  return attended + Linear(weights["mlp"]["fc2"], config.intermediate_size, width)(active);
}

/// Returns, for each row, the place of the first token that ends the text. Configurations from before transformers 4.24
/// give its id as 2, which is wrong. For them it is the token with the highest id of the row.
Tensor end_of_text(const TextConfig& config, const Tensor& ids) {
  return config.eos_token_id == 2 ? ids.argmax(1) : ids.eq(config.eos_token_id).to(at::kInt).argmax(1);
}

}  // namespace

TextOutput encode_text(const TextConfig& config, const std::shared_ptr<const Checkpoint>& weights, const at::Tensor& ids) {
  const c10::NoGradGuard no_grad;
  const Weights all(weights, at::kFloat), model = all["text_model"];
  const int64_t rows = ids.size(0), tokens = ids.size(1), width = config.hidden_size;
  const std::string embeddings = "text_model.embeddings.";
  Tensor x =
      rows_of(weights, embeddings + "token_embedding.weight", config.vocab_size, width, ids.reshape({-1}))
          .view({rows, tokens, width}) +
      rows_of(weights, embeddings + "position_embedding.weight", config.max_positions, width, at::arange(tokens, at::kLong));
  const Tensor mask = at::full({tokens, tokens}, -std::numeric_limits<float>::infinity()).triu(1);

  TextOutput out;
  for (int k = 0; k < config.layers; ++k) {
    if (k == config.layers - 1) out.penultimate = x;
    x = layer(config, model["encoder"]["layers"][k], x, mask);
  }
  out.last_hidden_state = LayerNorm(model["final_layer_norm"], width, config.layer_norm_eps)(x);
  const Tensor end = end_of_text(config, ids).view({rows, 1, 1}).expand({rows, 1, width});
  out.pooled = out.last_hidden_state.gather(1, end).squeeze(1);
  if (config.projection_dim) out.pooled = Linear(all["text_projection"], width, config.projection_dim, false)(out.pooled);
  return out;
}

std::vector<std::int64_t> empty_prompt_ids(const TextConfig& config) {
  const std::int64_t begin = config.vocab_size - 2, end = config.vocab_size - 1;
  std::vector<std::int64_t> ids(static_cast<std::size_t>(config.max_positions), config.quick_gelu ? end : 0);
  ids.at(0) = begin;
  ids.at(1) = end;
  return ids;
}

}  // namespace geometry_transfer
