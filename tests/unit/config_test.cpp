// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "geometry-transfer/error.h"
#include "safetensors_file.h"

namespace geometry_transfer {
namespace {

using Json = nlohmann::json;
using test::TemporaryFolder;
using test::write_file;

/// Reads `json` as a file with `read`.
template <class Read>
auto through_file(Read read, const Json& json) {
  TemporaryFolder folder;
  return read(write_file(folder / "config.json", json.dump()));
}

/// Checks that `changed` is refused with a sentence that names `key`.
template <class Read>
void expect_refused(Read read, const Json& changed, const std::string& key) {
  try {
    through_file(read, changed);
    ADD_FAILURE() << changed.dump() << " was accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), Error::Kind::model);
    EXPECT_NE(std::string(e.what()).find(key), std::string::npos) << e.what();
  }
}

Json with(Json json, const std::string& key, const Json& value) {
  json[key] = value;
  return json;
}

// The file that runwayml/stable-diffusion-v1-5 published. Many keys are missing and have their defaults.
const Json sd15_unet = {
    {"_class_name", "UNet2DConditionModel"},
    {"_diffusers_version", "0.6.0"},
    {"act_fn", "silu"},
    {"attention_head_dim", 8},
    {"block_out_channels", {320, 640, 1280, 1280}},
    {"center_input_sample", false},
    {"cross_attention_dim", 768},
    {"down_block_types", {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"}},
    {"downsample_padding", 1},
    {"flip_sin_to_cos", true},
    {"freq_shift", 0},
    {"in_channels", 4},
    {"layers_per_block", 2},
    {"mid_block_scale_factor", 1},
    {"norm_eps", 1e-05},
    {"norm_num_groups", 32},
    {"out_channels", 4},
    {"sample_size", 64},
    {"up_block_types", {"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"}}};

// The keys of stabilityai/stable-diffusion-xl-base-1.0 that change the result.
const Json sdxl_unet = {{"addition_embed_type", "text_time"},
                        {"addition_embed_type_num_heads", 64},
                        {"addition_time_embed_dim", 256},
                        {"attention_head_dim", {5, 10, 20}},
                        {"block_out_channels", {320, 640, 1280}},
                        {"class_embed_type", nullptr},
                        {"cross_attention_dim", 2048},
                        {"down_block_types", {"DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"}},
                        {"only_cross_attention", false},
                        {"projection_class_embeddings_input_dim", 2816},
                        {"sample_size", 128},
                        {"transformer_layers_per_block", {1, 2, 10}},
                        {"up_block_types", {"CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"}},
                        {"use_linear_projection", true}};

TEST(UNetConfig, ReadsStableDiffusion15) {
  const UNetConfig c = through_file(read_unet_config, sd15_unet);
  EXPECT_EQ(c.block_out_channels, (std::vector<int>{320, 640, 1280, 1280}));
  EXPECT_EQ(c.cross_attention, (std::vector<bool>{true, true, true, false}));
  EXPECT_EQ(c.heads, (std::vector<int>{8, 8, 8, 8}));
  EXPECT_EQ(c.transformer_layers, (std::vector<int>{1, 1, 1, 1}));
  EXPECT_EQ(c.cross_attention_dim, 768);
  EXPECT_EQ(c.sample_size, 64);
  EXPECT_FALSE(c.use_linear_projection);
  EXPECT_FALSE(c.text_time);
}

TEST(UNetConfig, ReadsSdxl) {
  const UNetConfig c = through_file(read_unet_config, sdxl_unet);
  EXPECT_EQ(c.cross_attention, (std::vector<bool>{false, true, true}));
  EXPECT_EQ(c.heads, (std::vector<int>{5, 10, 20}));
  EXPECT_EQ(c.transformer_layers, (std::vector<int>{1, 2, 10}));
  EXPECT_TRUE(c.use_linear_projection);
  EXPECT_TRUE(c.text_time);
  EXPECT_EQ(c.addition_time_embed_dim, 256);
  EXPECT_EQ(c.projection_class_embeddings_input_dim, 2816);
}

TEST(UNetConfig, RefusesByNameWhatItCannotHonour) {
  const std::pair<const char*, Json> rows[] = {
      {"_class_name", "UNet2DModel"},
      {"act_fn", "gelu"},
      {"addition_embed_type", "image"},
      {"attention_head_dim", {8, 8}},
      {"attention_head_dim", 7},
      {"attention_head_dim", -8},
      {"attention_head_dim", 2.5},
      {"attention_type", "gated"},
      {"block_out_channels", Json::array()},
      {"block_out_channels", "320"},
      {"center_input_sample", true},
      {"class_embed_type", "timestep"},
      {"class_embeddings_concat", true},
      {"conv_in_kernel", 5},
      {"conv_out_kernel", 1},
      {"cross_attention_dim", {768, 768, 768, 768}},
      {"cross_attention_dim", 1e300},
      {"cross_attention_norm", "group_norm"},
      {"down_block_types", {"AttnDownBlock2D", "DownBlock2D", "DownBlock2D", "DownBlock2D"}},
      {"downsample_padding", 0},
      {"dual_cross_attention", true},
      {"encoder_hid_dim", 4096},
      {"encoder_hid_dim_type", "text_proj"},
      {"layers_per_block", {2, 2, 2, 2}},
      {"mid_block_only_cross_attention", true},
      {"mid_block_scale_factor", 2},
      {"mid_block_type", "UNetMidBlock2D"},
      {"norm_num_groups", 7},
      {"num_attention_heads", 8},
      {"num_class_embeds", 10},
      {"only_cross_attention", {true, true, true, false}},
      {"out_channels", 8},
      {"resnet_out_scale_factor", 0.7},
      {"sample_size", 257},
      {"resnet_skip_time_act", true},
      {"resnet_time_scale_shift", "scale_shift"},
      {"reverse_transformer_layers_per_block", {1, 1, 1, 1}},
      {"time_cond_proj_dim", 256},
      {"time_embedding_act_fn", "silu"},
      {"time_embedding_dim", 64},
      {"time_embedding_type", "fourier"},
      {"timestep_post_act", "silu"},
      {"transformer_layers_per_block", {{1, 1}, {1, 1}, {1, 1}, {1, 1}}},
      {"up_block_types", {"UpBlock2D", "UpBlock2D", "UpBlock2D", "UpBlock2D"}},
      {"upcast_attention", "yes"},
      {"a_key_of_the_future", 1}};
  for (const auto& [key, value] : rows) expect_refused(read_unet_config, with(sd15_unet, key, value), key);
  expect_refused(read_unet_config, with(sd15_unet, "_class_name", std::string(79, 'x') + "\u00e9\u00e9"), "x...");
  expect_refused(read_unet_config, with(sdxl_unet, "projection_class_embeddings_input_dim", 1536), "projection_class_embeddings");
}

TEST(UNetConfig, RefusesOtherKindsByName) {
  expect_refused(read_unet_config, with(sd15_unet, "in_channels", 9), "inpainting");
  expect_refused(read_unet_config, with(sd15_unet, "in_channels", 8), "instruct-pix2pix");
  Json no_middle = sd15_unet;
  no_middle["mid_block_type"] = nullptr;  // Segmind's distilled models; here null is a value
  expect_refused(read_unet_config, no_middle, "mid_block_type");
}

TEST(UNetConfig, NullAndNotesAreNoObstacle) {
  EXPECT_NO_THROW(through_file(read_unet_config, with(sd15_unet, "a_key_of_the_future", nullptr)));
  EXPECT_NO_THROW(through_file(read_unet_config, with(sd15_unet, "_name_or_path", "somewhere")));
  EXPECT_NO_THROW(through_file(read_unet_config, with(sd15_unet, "only_cross_attention", {false, false, false, false})));
}

const Json sd_vae = {
    {"_class_name", "AutoencoderKL"},
    {"act_fn", "silu"},
    {"block_out_channels", {128, 256, 512, 512}},
    {"down_block_types", {"DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"}},
    {"in_channels", 3},
    {"latent_channels", 4},
    {"layers_per_block", 2},
    {"norm_num_groups", 32},
    {"out_channels", 3},
    {"sample_size", 512},
    {"up_block_types", {"UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"}}};

TEST(VaeConfig, ReadsDefaultsAndValues) {
  VaeConfig c = through_file(read_vae_config, sd_vae);
  EXPECT_EQ(c.downscale(), 8);
  EXPECT_DOUBLE_EQ(c.scaling_factor, 0.18215);
  EXPECT_TRUE(c.force_upcast && c.mid_block_attention && c.quant_conv && c.post_quant_conv);
  c = through_file(read_vae_config, with(with(with(sd_vae, "scaling_factor", 0.13025), "mid_block_add_attention", false),
                                         "use_quant_conv", false));
  EXPECT_DOUBLE_EQ(c.scaling_factor, 0.13025);
  EXPECT_FALSE(c.mid_block_attention || c.quant_conv);
}

TEST(VaeConfig, RefusesByNameWhatItCannotHonour) {
  const std::pair<const char*, Json> rows[] = {{"_class_name", "AutoencoderTiny"},
                                               {"act_fn", "relu"},
                                               {"in_channels", 4},
                                               {"out_channels", 1},
                                               {"down_block_types", {"DownEncoderBlock2D"}},
                                               {"latents_mean", {0, 0, 0, 0}},
                                               {"latents_std", {1, 1, 1, 1}},
                                               {"shift_factor", 0.1},
                                               {"scaling_factor", 0},
                                               {"a_key_of_the_future", true}};
  for (const auto& [key, value] : rows) expect_refused(read_vae_config, with(sd_vae, key, value), key);
}

const Json pndm = {{"_class_name", "PNDMScheduler"}, {"beta_end", 0.012},      {"beta_schedule", "scaled_linear"},
                   {"beta_start", 0.00085},          {"clip_sample", false},   {"num_train_timesteps", 1000},
                   {"set_alpha_to_one", false},      {"skip_prk_steps", true}, {"steps_offset", 1},
                   {"trained_betas", nullptr}};

TEST(SchedulerConfig, TakesTheScheduleOfAnySampler) {
  SchedulerConfig c = through_file(read_scheduler_config, pndm);
  EXPECT_DOUBLE_EQ(c.beta_start, 0.00085);
  EXPECT_DOUBLE_EQ(c.beta_end, 0.012);
  EXPECT_EQ(c.beta_schedule, "scaled_linear");
  EXPECT_EQ(c.steps_offset, 1);
  EXPECT_FALSE(c.set_alpha_to_one);
  EXPECT_EQ(c.prediction_type, PredictionType::epsilon);
  c = through_file(read_scheduler_config,
                   with(with(pndm, "_class_name", "EulerDiscreteScheduler"), "prediction_type", "v_prediction"));
  EXPECT_EQ(c.prediction_type, PredictionType::v_prediction);
}

TEST(SchedulerConfig, RefusesByNameWhatItCannotHonour) {
  const std::pair<const char*, Json> rows[] = {{"_class_name", "FlowMatchEulerDiscreteScheduler"},
                                               {"beta_schedule", "laplace"},
                                               {"beta_start", 0.5},
                                               {"beta_end", 1},
                                               {"clip_sample", true},
                                               {"prediction_type", "sample"},
                                               {"steps_offset", 7},
                                               {"thresholding", true},
                                               {"trained_betas", {0.1, 0.2}},
                                               {"use_flow_sigmas", true},
                                               {"a_key_of_the_future", 3}};
  for (const auto& [key, value] : rows) expect_refused(read_scheduler_config, with(pndm, key, value), key);
  expect_refused(read_scheduler_config, Json{{"_class_name", "DDIMScheduler"}}, "clip_sample");  // DDIM's default clips
}

const Json clip = {{"architectures", {"CLIPTextModel"}},
                   {"attention_dropout", 0.0},
                   {"bos_token_id", 0},
                   {"dropout", 0.0},
                   {"eos_token_id", 2},
                   {"hidden_act", "quick_gelu"},
                   {"hidden_size", 768},
                   {"initializer_factor", 1.0},
                   {"initializer_range", 0.02},
                   {"intermediate_size", 3072},
                   {"layer_norm_eps", 1e-05},
                   {"max_position_embeddings", 77},
                   {"model_type", "clip_text_model"},
                   {"num_attention_heads", 12},
                   {"num_hidden_layers", 12},
                   {"pad_token_id", 1},
                   {"projection_dim", 768},
                   {"torch_dtype", "float32"},
                   {"transformers_version", "4.22.0.dev0"},
                   {"vocab_size", 49408}};

TEST(TextConfig, ReadsBothKinds) {
  TextConfig c = through_file(read_text_config, clip);
  EXPECT_EQ(c.layers, 12);
  EXPECT_EQ(c.heads, 12);
  EXPECT_TRUE(c.quick_gelu);
  EXPECT_EQ(c.projection_dim, 0);
  c = through_file(read_text_config, with(with(clip, "architectures", {"CLIPTextModelWithProjection"}), "hidden_act", "gelu"));
  EXPECT_EQ(c.projection_dim, 768);
  EXPECT_FALSE(c.quick_gelu);
}

TEST(TextConfig, RefusesByNameWhatItCannotHonour) {
  const std::pair<const char*, Json> rows[] = {{"architectures", {"T5EncoderModel"}},
                                               {"hidden_act", "relu"},
                                               {"model_type", "t5"},
                                               {"num_attention_heads", 7},
                                               {"num_hidden_layers", 0},
                                               {"layer_norm_eps", "small"},
                                               {"a_key_of_the_future", 3}};
  for (const auto& [key, value] : rows) expect_refused(read_text_config, with(clip, key, value), key);
}

TEST(ConfigFile, RefusesDamage) {
  TemporaryFolder folder;
  const auto refused = [&](const std::string& text) {
    EXPECT_THROW(read_unet_config(write_file(folder / "config.json", text)), Error) << text.substr(0, 40);
  };
  refused("");
  refused("not json");
  refused("{\"in_channels\": 4");
  refused("{\"in_channels\": 4, \"in_channels\": 4}");
  refused("[1,2]");
  refused("{\"in_channels\": 1e999}");
  refused(std::string(2 << 20, ' ') + "{}");
  refused("{\"a\":" + std::string(10000, '[') + std::string(10000, ']') + "}");
}

}  // namespace
}  // namespace geometry_transfer
