// SPDX-License-Identifier: GPL-3.0-or-later
/// Reads the configuration of a UNet2DConditionModel.
/// Keys and defaults: https://github.com/huggingface/diffusers, src/diffusers/models/unets/unet_2d_condition.py
#include <algorithm>

#include "diffusion/config_fields.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

/// Reads one number or [height, width]; returns the longer side.
int side(ConfigFields& fields, const char* key, int otherwise) {
  const std::vector<int> sides = fields.integers(key, otherwise, 2, 1, 1 << 16);
  return std::max(sides[0], sides[1]);
}

/// Reads which levels have attention, and checks that the way up mirrors the way down.
void read_levels(ConfigFields& f, UNetConfig& c) {
  const std::size_t levels = c.block_out_channels.size();
  const auto down =
      f.words("down_block_types", {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"});
  const auto up = f.words("up_block_types", {"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"});
  if (down.size() != levels) f.wrong("down_block_types");
  if (up.size() != levels) f.wrong("up_block_types");
  for (std::size_t i = 0; i < levels; ++i) {
    const bool attends = down[i] == "CrossAttnDownBlock2D";
    if (!attends && down[i] != "DownBlock2D") f.wrong("down_block_types");
    if (up[levels - 1 - i] != (attends ? "CrossAttnUpBlock2D" : "UpBlock2D")) f.wrong("up_block_types");
    c.cross_attention.push_back(attends);
  }
}

/// Reads SDXL's added condition: the pooled text and six numbers.
void read_added_condition(ConfigFields& f, UNetConfig& c) {
  f.fixed("addition_embed_type", {"text_time"});
  c.text_time = f.has("addition_embed_type");
  c.addition_time_embed_dim = f.integer("addition_time_embed_dim", 0, 2, kMaxChannels);
  c.projection_class_embeddings_input_dim = f.integer("projection_class_embeddings_input_dim", 0, 1, 1 << 20);
  if (c.text_time) {
    if (c.addition_time_embed_dim == 0 || c.addition_time_embed_dim % 2 != 0) f.wrong("addition_time_embed_dim");
    // The input is the pooled text and six numbers: original height and width, crop top and left, target height and
    // width. A refiner has five numbers.
    if (c.projection_class_embeddings_input_dim <= 6 * c.addition_time_embed_dim)
      f.wrong("projection_class_embeddings_input_dim");
  }
}

/// Refuses all keys of other networks, and skips those for training.
void refuse_other_networks(ConfigFields& f) {
  f.fixed("act_fn", {"silu", "swish"});
  f.fixed("attention_type", {"default"});
  f.fixed("center_input_sample", {false});
  f.fixed("class_embed_type", {});
  f.fixed("class_embeddings_concat", {false});
  f.fixed("conv_in_kernel", {3});
  f.fixed("conv_out_kernel", {3});
  f.fixed("cross_attention_norm", {});
  f.fixed("downsample_padding", {1});
  f.fixed("dual_cross_attention", {false});
  f.fixed("encoder_hid_dim", {});
  f.fixed("encoder_hid_dim_type", {});
  f.fixed("mid_block_only_cross_attention", {false});
  f.fixed("mid_block_scale_factor", {1});
  f.fixed("num_attention_heads", {});
  f.fixed("num_class_embeds", {});
  f.fixed_each("only_cross_attention", false);
  f.fixed("resnet_out_scale_factor", {1});
  f.fixed("resnet_skip_time_act", {false});
  f.fixed("resnet_time_scale_shift", {"default"});
  f.fixed("reverse_transformer_layers_per_block", {});
  f.fixed("time_cond_proj_dim", {});
  f.fixed("time_embedding_act_fn", {});
  f.fixed("time_embedding_dim", {});
  f.fixed("time_embedding_type", {"positional"});
  f.fixed("timestep_post_act", {});
  // Ignored: dropout and the state of the moving average (training only), and the number of heads of another
  // addition_embed_type.
  f.ignore({"dropout", "addition_embed_type_num_heads", "decay", "inv_gamma", "min_decay", "optimization_step", "power",
            "update_after_step", "use_ema_warmup"});
}

}  // namespace

UNetConfig read_unet_config(const std::string& path) {
  ConfigFields f(path);
  UNetConfig c;
  f.fixed("_class_name", {"UNet2DConditionModel"});
  c.in_channels = f.integer("in_channels", 4, 1, 64);
  if (c.in_channels == 9)
    throw error(Error::Kind::model,
                _("{0}: this is an inpainting model (9 input channels). Choose the plain model of its family."), path);
  if (c.in_channels == 8)
    throw error(Error::Kind::model,
                _("{0}: this is an instruct-pix2pix model (8 input channels). Choose the plain model of its family."), path);
  c.out_channels = f.integer("out_channels", 4, 1, 64);
  if (c.out_channels != c.in_channels) f.wrong("out_channels");
  c.sample_size = side(f, "sample_size", 64);
  c.block_out_channels = f.list("block_out_channels", {320, 640, 1280, 1280}, 1, kMaxChannels);
  const std::size_t levels = c.block_out_channels.size();

  read_levels(f, c);
  f.fixed("mid_block_type", {"UNetMidBlock2DCrossAttn"});
  if (f.is_null("mid_block_type")) f.wrong("mid_block_type");  // null: no middle block; for other keys null means the default

  c.heads = f.integers("attention_head_dim", 8, levels, 1, 512);
  c.transformer_layers = f.integers("transformer_layers_per_block", 1, levels, 1, kMaxTransformers);
  c.layers_per_block = f.integers("layers_per_block", 2, 1, 1, kMaxLayers)[0];
  c.cross_attention_dim = f.integer("cross_attention_dim", 1280, 1, kMaxChannels);
  c.norm_num_groups = f.integer("norm_num_groups", 32, 1, kMaxChannels);
  c.norm_eps = f.number("norm_eps", 1e-5, 0, 1);
  c.use_linear_projection = f.boolean("use_linear_projection", false);
  c.upcast_attention = f.boolean("upcast_attention", false);
  c.flip_sin_to_cos = f.boolean("flip_sin_to_cos", true);
  c.freq_shift = f.number("freq_shift", 0, -16, 16);
  f.check_fit(c);

  read_added_condition(f, c);
  refuse_other_networks(f);
  f.finish();
  return c;
}

}  // namespace geometry_transfer
