// SPDX-License-Identifier: GPL-3.0-or-later
/// Limits of all configurations, and the readers of the autoencoder's and the text encoder's.
#include "diffusion/config.h"

#include "diffusion/config_fields.h"

namespace geometry_transfer {

std::optional<Misfit> out_of_range(const UNetConfig& c) {
  if (c.sample_size > kMaxSampleSize) return Misfit{"sample_size", c.sample_size};
  if (c.layers_per_block < 1 || c.layers_per_block > kMaxLayers) return Misfit{"layers_per_block", c.layers_per_block};
  for (const int channels : c.block_out_channels)
    if (channels > kMaxChannels) return Misfit{"block_out_channels", channels};
  for (const int layers : c.transformer_layers)
    if (layers < 1 || layers > kMaxTransformers) return Misfit{"transformer_layers_per_block", layers};
  if (c.cross_attention_dim > kMaxChannels) return Misfit{"cross_attention_dim", c.cross_attention_dim};
  return {};
}

std::optional<Misfit> out_of_range(const VaeConfig& c) {
  if (c.layers_per_block < 1 || c.layers_per_block > kMaxLayers) return Misfit{"layers_per_block", c.layers_per_block};
  for (const int channels : c.block_out_channels)
    if (channels > kMaxChannels) return Misfit{"block_out_channels", channels};
  return {};
}

std::optional<Misfit> out_of_range(const TextConfig& c) {
  if (c.layers < 1 || c.layers > kMaxTextLayers) return Misfit{"num_hidden_layers", c.layers};
  if (c.hidden_size > kMaxChannels) return Misfit{"hidden_size", c.hidden_size};
  if (c.intermediate_size > 4 * kMaxChannels) return Misfit{"intermediate_size", c.intermediate_size};
  if (c.vocab_size < 2) return Misfit{"vocab_size", c.vocab_size};
  if (c.max_positions < 2) return Misfit{"max_position_embeddings", c.max_positions};
  return {};
}

std::optional<Misfit> indivisible(const UNetConfig& c) {
  for (std::size_t i = 0; i < c.block_out_channels.size(); ++i) {
    if (c.block_out_channels[i] % c.norm_num_groups != 0) return Misfit{"norm_num_groups", c.norm_num_groups};
    if (c.block_out_channels[i] % c.heads[i] != 0) return Misfit{"attention_head_dim", c.heads[i]};
  }
  // Half of the time embedding are sines, half cosines.
  if (c.block_out_channels[0] % 2 != 0) return Misfit{"block_out_channels", c.block_out_channels[0]};
  return {};
}

std::optional<Misfit> indivisible(const VaeConfig& c) {
  for (const int channels : c.block_out_channels)
    if (channels % c.norm_num_groups != 0) return Misfit{"norm_num_groups", c.norm_num_groups};
  return {};
}

std::optional<Misfit> indivisible(const TextConfig& c) {
  if (c.hidden_size % c.heads != 0) return Misfit{"num_attention_heads", c.heads};
  return {};
}

// Keys and defaults: https://github.com/huggingface/diffusers, src/diffusers/models/autoencoders/autoencoder_kl.py
VaeConfig read_vae_config(const std::string& path) {
  ConfigFields f(path);
  VaeConfig c;
  f.fixed("_class_name", {"AutoencoderKL"});
  c.in_channels = f.integer("in_channels", 3, 3, 3);
  f.fixed("out_channels", {3});
  c.latent_channels = f.integer("latent_channels", 4, 1, 64);
  c.block_out_channels = f.list("block_out_channels", {64}, 1, kMaxChannels);
  c.layers_per_block = f.integer("layers_per_block", 1, 1, kMaxLayers);
  c.norm_num_groups = f.integer("norm_num_groups", 32, 1, kMaxChannels);
  c.scaling_factor = f.number("scaling_factor", 0.18215, 1e-6, 1e6);
  c.force_upcast = f.boolean("force_upcast", true);
  c.mid_block_attention = f.boolean("mid_block_add_attention", true);
  c.quant_conv = f.boolean("use_quant_conv", true);
  c.post_quant_conv = f.boolean("use_post_quant_conv", true);
  f.check_fit(c);
  const std::size_t levels = c.block_out_channels.size();
  for (const auto& [key, type] : {std::pair("down_block_types", "DownEncoderBlock2D"), {"up_block_types", "UpDecoderBlock2D"}}) {
    const auto types = f.words(key, {type});
    if (types.size() != levels) f.wrong(key);
    for (const std::string& one : types)
      if (one != type) f.wrong(key);
  }
  f.fixed("act_fn", {"silu", "swish"});
  f.fixed("latents_mean", {});
  f.fixed("latents_std", {});
  f.fixed("shift_factor", {0});
  f.ignore({"sample_size"});  // side of the training images; the network takes any size
  f.finish();
  return c;
}

// Keys and defaults: https://github.com/huggingface/transformers, src/transformers/models/clip/configuration_clip.py
TextConfig read_text_config(const std::string& path) {
  ConfigFields f(path);
  TextConfig c;
  f.fixed("model_type", {"clip_text_model"});
  const auto architectures = f.words("architectures", {"CLIPTextModel"});
  const bool projects = architectures == std::vector<std::string>{"CLIPTextModelWithProjection"};
  if (!projects && architectures != std::vector<std::string>{"CLIPTextModel"}) f.wrong("architectures");
  c.layers = f.integer("num_hidden_layers", 12, 1, kMaxTextLayers);
  c.hidden_size = f.integer("hidden_size", 512, 1, kMaxChannels);
  c.intermediate_size = f.integer("intermediate_size", 2048, 1, 4 * kMaxChannels);
  c.heads = f.integer("num_attention_heads", 8, 1, 512);
  c.vocab_size = f.integer("vocab_size", 49408, 2, 1 << 22);
  c.max_positions = f.integer("max_position_embeddings", 77, 2, 1 << 14);
  c.projection_dim = f.integer("projection_dim", 512, 1, kMaxChannels);
  if (!projects) c.projection_dim = 0;  // present but not used
  const std::string act = f.text("hidden_act", "quick_gelu");
  if (act != "quick_gelu" && act != "gelu") f.wrong("hidden_act");
  c.quick_gelu = act == "quick_gelu";
  c.layer_norm_eps = f.number("layer_norm_eps", 1e-5, 0, 1);
  f.check_fit(c);
  c.pad_token_id = f.integer("pad_token_id", 1, 0, 1 << 22);
  c.bos_token_id = f.integer("bos_token_id", 49406, 0, 1 << 22);
  c.eos_token_id = f.integer("eos_token_id", 49407, 0, 1 << 22);
  // Ignored: keys for training, number formats (the tensors have their own), and keys that all configurations of
  // transformers have.
  f.ignore({"attention_dropout", "dropout", "dtype", "gradient_checkpointing", "initializer_factor", "initializer_range",
            "torch_dtype", "transformers_version", "use_cache", "return_dict", "output_hidden_states", "output_attentions"});
  f.finish();
  return c;
}

}  // namespace geometry_transfer
