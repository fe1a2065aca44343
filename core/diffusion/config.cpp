// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/config.h"

#include <cmath>
#include <limits>
#include <set>

#include "request/text.h"
#include "weights/json_file.h"

namespace geometry_transfer {
namespace {

constexpr std::size_t kMaxConfig = 1 << 20;
constexpr int kMaxLevels = 8, kMaxChannels = 16384, kMaxLayers = 16, kMaxTransformers = 64, kMaxTextLayers = 128;
constexpr int kMaxSampleSize = 256;  // of latents; published models have 64 to 128

/// Takes keys out of a config.json one after the other; what is left in the end is unknown.
class Fields {
 public:
  explicit Fields(const std::string& path) : path_(path), json_(read_json_object(path, kMaxConfig)) {}

  bool has(const char* key) const {
    const auto found = json_.find(key);
    return found != json_.end() && !found->is_null();
  }

  bool is_null(const char* key) const {
    const auto found = json_.find(key);
    return found != json_.end() && found->is_null();
  }

  int integer(const char* key, int otherwise, int low, int high) {
    const Json* value = take(key);
    return value ? integer_of(key, *value, low, high) : otherwise;
  }
  double number(const char* key, double otherwise, double low, double high) {
    const Json* value = take(key);
    if (!value) return otherwise;
    if (!value->is_number()) wrong(key, *value);
    const double number = value->get<double>();
    if (!(number >= low && number <= high)) wrong(key, *value);
    return number;
  }
  bool boolean(const char* key, bool otherwise) {
    const Json* value = take(key);
    if (!value) return otherwise;
    if (!value->is_boolean()) wrong(key, *value);
    return value->get<bool>();
  }
  std::string text(const char* key, const std::string& otherwise) {
    const Json* value = take(key);
    if (!value) return otherwise;
    if (!value->is_string()) wrong(key, *value);
    return value->get<std::string>();
  }
  /// A list, or one number for all levels.
  std::vector<int> integers(const char* key, int otherwise, std::size_t levels, int low, int high) {
    const Json* value = take(key);
    if (!value) return std::vector<int>(levels, otherwise);
    if (!value->is_array()) return std::vector<int>(levels, integer_of(key, *value, low, high));
    if (value->size() != levels) wrong(key, *value);
    return list_of(key, *value, low, high);
  }
  std::vector<int> list(const char* key, const std::vector<int>& otherwise, int low, int high) {
    const Json* value = take(key);
    if (!value) return otherwise;
    if (!value->is_array() || value->empty() || value->size() > kMaxLevels) wrong(key, *value);
    return list_of(key, *value, low, high);
  }
  std::vector<std::string> words(const char* key, const std::vector<std::string>& otherwise) {
    const Json* value = take(key);
    if (!value) return otherwise;
    if (!value->is_array() || value->size() > kMaxLevels) wrong(key, *value);
    std::vector<std::string> all;
    for (const Json& one : *value) {
      if (!one.is_string()) wrong(key, *value);
      all.push_back(one.get<std::string>());
    }
    return all;
  }

  /// Keys that may have one value only (null, absent, or any of those given).
  void fixed(const char* key, const std::vector<Json>& allowed) {
    const Json* value = take(key);
    if (!value) return;
    for (const Json& one : allowed)
      if (*value == one) return;
    wrong(key, *value);
  }
  /// The same for keys that may come as a list of that value.
  void fixed_each(const char* key, const Json& allowed) {
    const Json* value = take(key);
    if (!value) return;
    if (!value->is_array()) {
      if (*value != allowed) wrong(key, *value);
      return;
    }
    for (const Json& one : *value)
      if (one != allowed) wrong(key, *value);
  }
  /// Keys without effect here, whatever they hold.
  void ignore(std::initializer_list<const char*> keys) {
    for (const char* key : keys) taken_.insert(key);
  }
  /// Throws when a key is left that nobody took. Those that start with an underscore are notes of the library that wrote them.
  void finish() const {
    for (const auto& [key, value] : json_.items())
      if (!taken_.count(key) && !value.is_null() && key.substr(0, 1) != "_") wrong(key.c_str(), value);
  }

  [[noreturn]] void wrong(const char* key, const Json& value) const {
    throw error(Error::Kind::model, _("{0} sets \"{1}\" to {2}, which this program cannot honour: choose another model."), path_,
                key, quoted(value.dump(-1, ' ', false, Json::error_handler_t::replace), 80));
  }
  [[noreturn]] void wrong(const char* key) const { wrong(key, json_.value(key, Json())); }

 private:
  const Json* take(const char* key) {
    taken_.insert(key);
    return has(key) ? &json_[key] : nullptr;
  }
  int integer_of(const char* key, const Json& value, int low, int high) const {
    // Whole numbers may be written as 2.0.
    if (!value.is_number()) wrong(key, value);
    const double number = value.get<double>();
    if (!(number >= low && number <= high) || number != std::floor(number)) wrong(key, value);
    return static_cast<int>(number);
  }
  std::vector<int> list_of(const char* key, const Json& value, int low, int high) const {
    std::vector<int> all;
    for (const Json& one : value) all.push_back(integer_of(key, one, low, high));
    return all;
  }

  std::string path_;
  Json json_;
  std::set<std::string> taken_;
};

/// One number or [height, width]; the longer side.
int side(Fields& fields, const char* key, int otherwise) {
  const std::vector<int> sides = fields.integers(key, otherwise, 2, 1, 1 << 16);
  return std::max(sides[0], sides[1]);
}

template <class Config>
void check_fit(const Fields& fields, const Config& config) {
  for (const auto& wrong : {out_of_range(config), indivisible(config)})
    if (wrong) fields.wrong(wrong->key);
}

}  // namespace

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
  // The time embedding is half sines, half cosines.
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

// Keys and defaults: https://github.com/huggingface/diffusers, src/diffusers/models/unets/unet_2d_condition.py
UNetConfig read_unet_config(const std::string& path) {
  Fields f(path);
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
  f.fixed("mid_block_type", {"UNetMidBlock2DCrossAttn"});
  if (f.is_null("mid_block_type")) f.wrong("mid_block_type");  // no middle block; elsewhere null means the default

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
  check_fit(f, c);

  f.fixed("addition_embed_type", {"text_time"});
  c.text_time = f.has("addition_embed_type");
  c.addition_time_embed_dim = f.integer("addition_time_embed_dim", 0, 2, kMaxChannels);
  c.projection_class_embeddings_input_dim = f.integer("projection_class_embeddings_input_dim", 0, 1, 1 << 20);
  if (c.text_time) {
    if (c.addition_time_embed_dim == 0 || c.addition_time_embed_dim % 2 != 0) f.wrong("addition_time_embed_dim");
    // Pooled text and six numbers (original height and width, crop top and left, target height and width). Five: a refiner.
    if (c.projection_class_embeddings_input_dim <= 6 * c.addition_time_embed_dim)
      f.wrong("projection_class_embeddings_input_dim");
  }

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
  // Training only: dropout, the moving average's state. The number of heads of another addition_embed_type.
  f.ignore({"dropout", "addition_embed_type_num_heads", "decay", "inv_gamma", "min_decay", "optimization_step", "power",
            "update_after_step", "use_ema_warmup"});
  f.finish();
  return c;
}

// Keys and defaults: https://github.com/huggingface/diffusers, src/diffusers/models/autoencoders/autoencoder_kl.py
VaeConfig read_vae_config(const std::string& path) {
  Fields f(path);
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
  check_fit(f, c);
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
  f.ignore({"sample_size"});  // of the training images; the network takes any
  f.finish();
  return c;
}

// Keys and defaults: https://github.com/huggingface/diffusers, src/diffusers/schedulers/scheduling_ddim.py. Whatever sampler a
// model was published with, its noise schedule is the model's, and DDIM walks it; the sampler's own ways are left alone.
SchedulerConfig read_scheduler_config(const std::string& path) {
  static const std::set<std::string> same_schedule = {"DDIMScheduler",
                                                      "DDIMInverseScheduler",
                                                      "DDPMScheduler",
                                                      "PNDMScheduler",
                                                      "LMSDiscreteScheduler",
                                                      "EulerDiscreteScheduler",
                                                      "EulerAncestralDiscreteScheduler",
                                                      "HeunDiscreteScheduler",
                                                      "KDPM2DiscreteScheduler",
                                                      "KDPM2AncestralDiscreteScheduler",
                                                      "DEISMultistepScheduler",
                                                      "DPMSolverMultistepScheduler",
                                                      "DPMSolverSinglestepScheduler",
                                                      "DPMSolverSDEScheduler",
                                                      "UniPCMultistepScheduler",
                                                      "SASolverScheduler",
                                                      "LCMScheduler",
                                                      "TCDScheduler"};
  Fields f(path);
  SchedulerConfig c;
  const std::string kind = f.text("_class_name", "DDIMScheduler");
  if (!same_schedule.count(kind)) f.wrong("_class_name");
  const bool ddim = kind == "DDIMScheduler";
  c.num_train_timesteps = f.integer("num_train_timesteps", 1000, 2, 100000);
  c.beta_start = f.number("beta_start", 0.0001, 0, 1);
  c.beta_end = f.number("beta_end", 0.02, 0, 0.999999);
  if (c.beta_start > c.beta_end) f.wrong("beta_start");
  c.beta_schedule = f.text("beta_schedule", "linear");
  if (c.beta_schedule != "linear" && c.beta_schedule != "scaled_linear" && c.beta_schedule != "squaredcos_cap_v2")
    f.wrong("beta_schedule");
  c.rescale_betas_zero_snr = f.boolean("rescale_betas_zero_snr", false);
  // Samplers without these keys walk Stable Diffusion's grid as its own DDIM does: offset 1, ending at the first alpha.
  c.set_alpha_to_one = f.boolean("set_alpha_to_one", ddim);
  c.steps_offset = f.integer("steps_offset", ddim ? 0 : 1, 0, 1);
  const std::string prediction = f.text("prediction_type", "epsilon");
  if (prediction != "epsilon" && prediction != "v_prediction") f.wrong("prediction_type");
  c.prediction_type = prediction == "epsilon" ? PredictionType::epsilon : PredictionType::v_prediction;

  f.fixed("trained_betas", {});
  f.fixed("thresholding", {false});                                        // for models of pixels
  if (f.boolean("clip_sample", ddim)) f.wrong("clip_sample", Json(true));  // likewise; DDIM's default
  f.fixed("use_flow_sigmas", {false});
  // How a sampler other than ours places its steps and combines them, and limits that only act when the keys above are set.
  f.ignore({"algorithm_type",
            "beta_max",
            "clip_sample_range",
            "corrector_order",
            "disable_corrector",
            "dynamic_thresholding_ratio",
            "euler_at_final",
            "final_sigmas_type",
            "flow_shift",
            "interpolation_type",
            "lambda_min_clipped",
            "lower_order_final",
            "noise_sampler_seed",
            "original_inference_steps",
            "predict_x0",
            "predictor_order",
            "sample_max_value",
            "sigma_max",
            "sigma_min",
            "skip_prk_steps",
            "solver_order",
            "solver_p",
            "solver_type",
            "tau_func",
            "timestep_scaling",
            "timestep_spacing",
            "timestep_type",
            "use_beta_sigmas",
            "use_exponential_sigmas",
            "use_karras_sigmas",
            "use_lu_lambdas",
            "variance_type",
            "time_shift_type",
            "use_dynamic_shifting"});
  f.finish();
  return c;
}

// Keys and defaults: https://github.com/huggingface/transformers, src/transformers/models/clip/configuration_clip.py
TextConfig read_text_config(const std::string& path) {
  Fields f(path);
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
  if (!projects) c.projection_dim = 0;  // there, but not used
  const std::string act = f.text("hidden_act", "quick_gelu");
  if (act != "quick_gelu" && act != "gelu") f.wrong("hidden_act");
  c.quick_gelu = act == "quick_gelu";
  c.layer_norm_eps = f.number("layer_norm_eps", 1e-5, 0, 1);
  check_fit(f, c);
  c.pad_token_id = f.integer("pad_token_id", 1, 0, 1 << 22);
  c.bos_token_id = f.integer("bos_token_id", 49406, 0, 1 << 22);
  c.eos_token_id = f.integer("eos_token_id", 49407, 0, 1 << 22);
  // Training only, number formats (the tensors say their own), and fields that every configuration of transformers carries.
  f.ignore({"attention_dropout", "dropout", "dtype", "gradient_checkpointing", "initializer_factor", "initializer_range",
            "torch_dtype", "transformers_version", "use_cache", "return_dict", "output_hidden_states", "output_attentions"});
  f.finish();
  return c;
}

}  // namespace geometry_transfer
