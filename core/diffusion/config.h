// SPDX-License-Identifier: GPL-3.0-or-later
/// The constants of a model's parts, named as in diffusers' config.json. A key that changes the result is either here
/// or refused by name.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace geometry_transfer {

enum class PredictionType { epsilon, v_prediction };

/// UNet2DConditionModel. The vectors have one entry for each level, from fine to coarse.
struct UNetConfig {
  int in_channels = 4, out_channels = 4;
  int sample_size = 64;                 ///< native latent side
  std::vector<int> block_out_channels;  ///< channels of each level
  std::vector<bool>
      cross_attention;     ///< of each level: CrossAttnDownBlock2D and CrossAttnUpBlock2D, or DownBlock2D and UpBlock2D
  std::vector<int> heads;  ///< of each level. config.json calls it attention_head_dim; it is the number of heads
  std::vector<int> transformer_layers;  ///< transformer_layers_per_block of each level
  int layers_per_block = 2;
  int cross_attention_dim = 768;
  int norm_num_groups = 32;
  double norm_eps = 1e-5;
  bool use_linear_projection = false;
  bool upcast_attention = false;
  bool flip_sin_to_cos = true;
  double freq_shift = 0;
  bool text_time = false;                         ///< addition_embed_type "text_time" (SDXL)
  int addition_time_embed_dim = 0;                ///< text_time only
  int projection_class_embeddings_input_dim = 0;  ///< text_time only: pooled text + 6 time ids
};

/// AutoencoderKL.
struct VaeConfig {
  int in_channels = 3, latent_channels = 4;
  std::vector<int> block_out_channels;
  int layers_per_block = 2;
  int norm_num_groups = 32;
  double scaling_factor = 0.18215;
  bool mid_block_attention = true;
  bool quant_conv = true, post_quant_conv = true;
  bool force_upcast = false;  ///< overflows in fp16: run it in fp32 or bf16
  int downscale() const { return 1 << (static_cast<int>(block_out_channels.size()) - 1); }  ///< pixels per latent
};

/// The keys of a scheduler's configuration that DDIM reads.
struct SchedulerConfig {
  int num_train_timesteps = 1000;
  double beta_start = 0.00085, beta_end = 0.012;
  std::string beta_schedule = "scaled_linear";  ///< or "linear", "squaredcos_cap_v2"
  bool rescale_betas_zero_snr = false;
  bool set_alpha_to_one = false;
  int steps_offset = 1;
  PredictionType prediction_type = PredictionType::epsilon;
};

/// CLIPTextModel(WithProjection).
struct TextConfig {
  int layers = 0;  ///< num_hidden_layers; 0: no encoder
  int hidden_size = 768, intermediate_size = 3072, heads = 12;
  int vocab_size = 49408, max_positions = 77;
  int projection_dim = 0;  ///< > 0: has text_projection and gives a pooled embedding
  int eos_token_id = 2, bos_token_id = 49406, pad_token_id = 1;
  double layer_norm_eps = 1e-5;
  bool quick_gelu = true;    ///< hidden_act "quick_gelu", else "gelu"
  bool penultimate = false;  ///< true: the UNet reads hidden_states[-2] (SDXL; SD 2.x checkpoints have no last layer instead)
};

/// A constant with which no network can be built, with its name in config.json.
struct Misfit {
  const char* key;
  int value;
};
/// Finds a constant far above those of any published model. Such a model would be listed tensor by tensor at great
/// length. Checked on config.json and on the shapes of a single file, and so is indivisible().
std::optional<Misfit> out_of_range(const UNetConfig& config);
std::optional<Misfit> out_of_range(const VaeConfig& config);
std::optional<Misfit> out_of_range(const TextConfig& config);
/// Finds numbers of channels that do not divide by groups or heads.
std::optional<Misfit> indivisible(const UNetConfig& config);
std::optional<Misfit> indivisible(const VaeConfig& config);
std::optional<Misfit> indivisible(const TextConfig& config);

// Read the config.json files that diffusers and transformers write. A missing key has the default of those libraries.
// An unknown key is refused by name, and so is a value that changes the result and has no field above. A model runs as
// it was trained, or not at all. Throw Error (model).

UNetConfig read_unet_config(const std::string& path);
VaeConfig read_vae_config(const std::string& path);
SchedulerConfig read_scheduler_config(const std::string& path);
/// projection_dim is 0 unless the architecture is CLIPTextModelWithProjection. Leaves `penultimate` false.
TextConfig read_text_config(const std::string& path);

}  // namespace geometry_transfer
