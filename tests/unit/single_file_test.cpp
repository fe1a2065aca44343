// SPDX-License-Identifier: GPL-3.0-or-later
/// Checkpoints of full size without their weights: the headers are complete, the data are holes.
#include "weights/single_file.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "../tools/families.h"
#include "../tools/model_writer.h"
#include "geometry-transfer/error.h"
#include "geometry-transfer/models.h"
#include "request/memory.h"
#include "safetensors_file.h"

namespace geometry_transfer {
namespace {

using test::FileTensor;
using test::TemporaryFolder;
using test::write_file;

class SingleFile : public ::testing::Test {
 protected:
  std::string path() const { return folder / "my model.safetensors"; }
  void write(const std::vector<FileTensor>& tensors, const test::Fill& fill = nullptr) const {
    test::write_safetensors(path(), tensors, "F16", fill);
  }
  std::string refusal() const {
    try {
      open_model(path());
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), Error::Kind::model);
      return e.what();
    }
    ADD_FAILURE() << "accepted";
    return "";
  }
  void expect_refused(const std::string& part) const {
    const std::string message = refusal();
    EXPECT_NE(message.find(part), std::string::npos) << '"' << message << "\" does not say \"" << part << '"';
  }
  TemporaryFolder folder;
};

void expect_same(const ModelFiles& found, const ModelFiles& wanted) {
  EXPECT_EQ(found.family, wanted.family);
  const UNetConfig &u = found.unet, &w = wanted.unet;
  EXPECT_EQ(u.block_out_channels, w.block_out_channels);
  EXPECT_EQ(u.cross_attention, w.cross_attention);
  EXPECT_EQ(u.heads, w.heads);
  EXPECT_EQ(u.transformer_layers, w.transformer_layers);
  EXPECT_EQ(u.layers_per_block, w.layers_per_block);
  EXPECT_EQ(u.cross_attention_dim, w.cross_attention_dim);
  EXPECT_EQ(u.use_linear_projection, w.use_linear_projection);
  EXPECT_EQ(u.upcast_attention, w.upcast_attention);
  EXPECT_EQ(u.sample_size, w.sample_size);
  EXPECT_EQ(u.text_time, w.text_time);
  EXPECT_EQ(u.addition_time_embed_dim, w.addition_time_embed_dim);
  EXPECT_EQ(u.projection_class_embeddings_input_dim, w.projection_class_embeddings_input_dim);
  EXPECT_EQ(found.vae.block_out_channels, wanted.vae.block_out_channels);
  EXPECT_EQ(found.vae.layers_per_block, wanted.vae.layers_per_block);
  EXPECT_EQ(found.vae.scaling_factor, wanted.vae.scaling_factor);
  EXPECT_EQ(found.vae.force_upcast, wanted.vae.force_upcast);
  EXPECT_EQ(found.scheduler.prediction_type, wanted.scheduler.prediction_type);
  for (const auto& [t, s] : {std::pair(found.text, wanted.text), {found.text_2, wanted.text_2}}) {
    EXPECT_EQ(t.layers, s.layers);
    EXPECT_EQ(t.penultimate, s.penultimate);
    EXPECT_EQ(t.projection_dim, s.projection_dim);
    if (!t.layers) continue;
    EXPECT_EQ(t.hidden_size, s.hidden_size);
    EXPECT_EQ(t.intermediate_size, s.intermediate_size);
    EXPECT_EQ(t.heads, s.heads);
    EXPECT_EQ(t.vocab_size, s.vocab_size);
    EXPECT_EQ(t.quick_gelu, s.quick_gelu);
  }
}

/// Writes the biases by which SD 2.x models with v prediction are recognised: half -0.125, half 0.125.
bool wide_biases(const FileTensor& t, std::ostream& out) {
  if (t.key != "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias") return false;
  for (std::int64_t i = 0; i < t.numbers(); ++i) out.write(i % 2 ? "\x00\x30" : "\x00\xb0", 2);
  return true;
}

TEST_F(SingleFile, TellsFamiliesAndSizesApart) {
  write(test::ldm_tensors(test::sd15()));
  const ModelFiles found = open_model(path());
  EXPECT_EQ(found.name, "my model");
  expect_same(found, test::sd15());
  write(test::ldm_tensors(test::sdxl()));
  expect_same(open_model(path()), test::sdxl());
  EXPECT_EQ(inspect_model(path()).family, "SDXL");
  EXPECT_GT(inspect_model(path()).bytes, 6'000'000'000u);
}

TEST_F(SingleFile, TellsWhatStableDiffusion2Predicts) {
  write(test::ldm_tensors(test::sd21()), wide_biases);
  expect_same(open_model(path()), test::sd21());
  write(test::ldm_tensors(test::sd21()));  // biases of 0
  ModelFiles base = test::sd21();
  base.scheduler.prediction_type = PredictionType::epsilon;
  base.unet.sample_size = 64;
  base.unet.upcast_attention = false;
  expect_same(open_model(path()), base);
  EXPECT_EQ(open_model(path(), Prediction::v).scheduler.prediction_type, PredictionType::v_prediction);
  EXPECT_EQ(open_model(path(), Prediction::v).unet.sample_size, 96);
}

TEST_F(SingleFile, TheUserMayOverrideWhatIsPredicted) {
  write(test::ldm_tensors(test::sd15()));
  EXPECT_EQ(open_model(path(), Prediction::v).scheduler.prediction_type, PredictionType::v_prediction);
  auto tensors = test::ldm_tensors(test::sdxl());
  tensors.push_back({"v_pred", {0}, "", {}});
  tensors.push_back({"ztsnr", {0}, "", {}});
  write(tensors);
  EXPECT_EQ(open_model(path()).scheduler.prediction_type, PredictionType::v_prediction);
  EXPECT_TRUE(open_model(path()).scheduler.rescale_betas_zero_snr);
  EXPECT_EQ(open_model(path(), Prediction::epsilon).scheduler.prediction_type, PredictionType::epsilon);
}

TEST_F(SingleFile, EarlyNamesAndModelsWithoutTextEncoderLoad) {
  auto tensors = test::ldm_tensors(test::sd15());
  const std::string long_name = "cond_stage_model.transformer.text_model.", short_name = "cond_stage_model.transformer.";
  for (FileTensor& t : tensors)
    if (t.key.compare(0, long_name.size(), long_name) == 0) t.key = short_name + t.key.substr(long_name.size());
  tensors.push_back({short_name + "embeddings.position_ids", {1, 77}, "", {}});
  write(tensors);
  expect_same(open_model(path()), test::sd15());
  tensors.erase(
      std::remove_if(tensors.begin(), tensors.end(), [](auto& t) { return t.part == "text_encoder" || t.part.empty(); }),
      tensors.end());
  write(tensors);
  EXPECT_EQ(open_model(path()).text.layers, 0);
  EXPECT_EQ(open_model(path()).text_weights, nullptr);
}

/// The weights of one attention lie one after the other, so each must arrive under its own name: query, key, value,
/// out.
TEST_F(SingleFile, TheVaesAttentionHasSeveralNames) {
  const std::vector<std::string> model = {"to_q.weight", "to_k.weight", "to_v.weight", "to_out.0.weight"};
  const std::vector<std::pair<std::string, std::string>> published[] = {
      {},
      {{"norm", "norm"}, {"q", "to_q"}, {"k", "to_k"}, {"v", "to_v"}, {"proj_out", "to_out.0"}},
      {{"norm", "group_norm"}, {"q", "query"}, {"k", "key"}, {"v", "value"}, {"proj_out", "proj_attn"}}};
  for (const auto& names : published)
    for (const bool linear : {false, true}) {
      auto tensors = test::ldm_tensors(test::sd15());
      for (FileTensor& t : tensors) {
        const std::size_t block = t.key.find(".mid.attn_1.");
        if (block == std::string::npos) continue;
        const std::size_t start = block + 12, end = t.key.rfind('.');
        if (linear && t.shape.size() == 4) t.shape.resize(2);
        for (const auto& [old_name, new_name] : names)
          if (t.key.substr(start, end - start) == old_name) {
            t.key.replace(start, end - start, new_name);
            break;
          }
      }
      write(tensors, [](const FileTensor& t, std::ostream& out) {
        const auto place = t.key.find("encoder.mid.attn_1.");
        const bool mine = place != std::string::npos && !t.from.empty() && t.from[0].first.find(".weight") != std::string::npos;
        if (mine) out << t.from[0].first;  // its bytes begin with the model's name
        return mine;
      });
      const ModelFiles found = open_model(path());
      expect_same(found, test::sd15());
      for (const std::string& name : model) {
        const std::string key = "encoder.mid_block.attentions.0." + name;
        const TensorView* view = found.vae_weights->find(key);
        ASSERT_NE(view, nullptr) << key;
        EXPECT_EQ(view->shape, (std::vector<std::int64_t>{512, 512})) << key;
        EXPECT_EQ(std::string(reinterpret_cast<const char*>(view->data), key.size()), key);
      }
    }
}

TEST_F(SingleFile, WhatTrainingLeftInTheVaeIsIgnored) {
  auto tensors = test::ldm_tensors(test::sd15());
  for (const char* key : {"loss.discriminator.main.0.weight", "logvar", "model_ema.decay", "model_ema.num_updates",
                          "model_ema.encoderconv_inweight"})
    tensors.push_back({std::string("first_stage_model.") + key, {1}, "", {}});
  write(tensors);
  expect_same(open_model(path()), test::sd15());
  tensors.push_back({"first_stage_model.model_emanation", {1}, "", {}});
  write(tensors);
  expect_refused("has 1 tensors that are not part of such a model: first_stage_model.model_emanation");
}

TEST_F(SingleFile, ListsWhatIsMissingOrTooMuch) {
  const auto whole = test::ldm_tensors(test::sd15());
  auto tensors = whole;
  tensors.erase(std::remove_if(tensors.begin(), tensors.end(),
                               [](auto& t) { return t.key == "model.diffusion_model.output_blocks.4.0.out_layers.3.weight"; }),
                tensors.end());
  write(tensors);
  expect_refused("lacks 1 of its tensors: up_blocks.1.resnets.1.conv2.weight");
  tensors = whole;
  tensors.push_back({"model.diffusion_model.input_blocks.1.2.alien", {1}, "", {}});
  write(tensors);
  expect_refused("not part of such a model: model.diffusion_model.input_blocks.1.2.alien");
  tensors = whole;
  for (FileTensor& t : tensors)
    if (t.key == "first_stage_model.decoder.conv_out.weight") t.shape = {3, 128, 1, 1};
  write(tensors);
  expect_refused("another shape than its configuration asks for: decoder.conv_out.weight");
  tensors = whole;
  tensors.push_back({"cond_stage_model.transformer.embeddings.token_embedding.weight", {49408, 768}, "", {}});
  write(tensors);
  expect_refused("twice, under two names");
  tensors = whole;
  tensors.erase(std::remove_if(tensors.begin(), tensors.end(), [](auto& t) { return t.part == "vae"; }), tensors.end());
  write(tensors);
  expect_refused("holds no VAE");
}

TEST_F(SingleFile, AStrayLoraKeyInAWholeModelIsIgnored) {
  auto tensors = test::ldm_tensors(test::sd15());
  tensors.push_back({"lora_unet_down_blocks_0_attentions_0_proj_in.alpha", {1}, "", {}});
  write(tensors);
  expect_same(open_model(path()), test::sd15());
  tensors.erase(std::remove_if(tensors.begin(), tensors.end(), [](auto& t) { return t.part == "unet"; }), tensors.end());
  write(tensors);
  expect_refused("is a LoRA, not a whole model");
}

/// Factors inside a network belong to a LoRA that was never merged. Without them the model would paint something else
/// than its author saw.
TEST_F(SingleFile, LoraFactorsInsideANetworkAreRefusedByName) {
  const std::string attention = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.";
  for (const std::string& key :
       {attention + "to_q.lora_up.weight", attention + "to_q.lora_down.weight", attention + "to_q.alpha",
        attention + "to_out.0.lora_A.weight", attention + "processor.to_v_lora.up.weight",
        std::string("model.diffusion_model.lora_unet_input_blocks_1_1_proj_in.lora_up.weight"),
        std::string("model.diffusion_model.out.2.lora_up.weight"),
        std::string("first_stage_model.decoder.mid.attn_1.q.lora_up.weight"),
        std::string("cond_stage_model.transformer.text_model.encoder.layers.0.mlp.fc1.lora_up.weight")}) {
    SCOPED_TRACE(key);
    auto tensors = test::ldm_tensors(test::sd15());
    tensors.push_back({key, {4, 320}, "", {}});
    write(tensors);
    expect_refused("a LoRA that is not merged into the weights");
    expect_refused(key);
  }
}

TEST_F(SingleFile, RefusesOtherKindsByName) {
  auto tensors = test::ldm_tensors(test::sd15());
  for (const auto& [channels, kind] : {std::pair(9, "inpainting"), {8, "instruct-pix2pix"}, {7, "does not take 4 channels"}}) {
    for (FileTensor& t : tensors)
      if (t.key == "model.diffusion_model.input_blocks.0.0.weight") t.shape[1] = channels;
    write(tensors);
    expect_refused(kind);
  }
  const std::pair<const char*, const char*> rows[] = {{"double_blocks.0.img_attn.norm.key_norm.scale", "Flux"},
                                                      {"model.diffusion_model.joint_blocks.0.x", "Stable Diffusion 3"},
                                                      {"conditioner.embedders.0.model.ln_final.bias", "refiner"},
                                                      {"edm_mean", "Playground"},
                                                      {"lora_unet_down_blocks_0", "LoRA"},
                                                      {"control_model.zero_convs.0.0.weight", "ControlNet"},
                                                      {"down_blocks.0.resnets.0.norm1.weight", "a UNet alone"},
                                                      {"model.diffusion_model.input_blocks.0.0.weight", "a UNet alone"},
                                                      {"diffusion_model.input_blocks.0.0.weight", "a UNet alone"},
                                                      {"input_blocks.0.0.weight", "a UNet alone: choose the folder"},
                                                      {"input_hint_block.0.weight", "a ControlNet"},
                                                      {"encoder.conv_in.weight", "a VAE alone"},
                                                      {"something.else", "no UNet of Stable Diffusion"}};
  for (const auto& [key, kind] : rows) {
    write({{key, {1}, "", {}}});
    expect_refused(kind);
  }
}

/// A small file may claim sizes that no model has. Its tensors would be listed: a thousand layers of a thousand blocks
/// each.
TEST_F(SingleFile, HoldsShapesToTheRangesOfConfigurations) {
  const std::string unet = "model.diffusion_model.", vae = "first_stage_model.";
  std::vector<FileTensor> claims = {{unet + "input_blocks.0.0.weight", {32, 4, 1, 1}, "", {}},
                                    {unet + "out.2.weight", {4, 1, 1, 1}, "", {}},
                                    {unet + "input_blocks.1.0.out_layers.3.weight", {32, 1, 1, 1}, "", {}},
                                    {unet + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", {1, 8}, "", {}},
                                    {unet + "input_blocks.1.1.proj_in.weight", {1, 1, 1, 1}, "", {}},
                                    {vae + "encoder.conv_in.weight", {1, 3, 1, 1}, "", {}},
                                    {vae + "decoder.conv_in.weight", {1, 4, 1, 1}, "", {}},
                                    {vae + "encoder.down.0.block.0.conv2.weight", {32, 1, 1, 1}, "", {}}};
  for (int i = 1; i < 1000; ++i)
    claims.push_back({unet + "input_blocks." + std::to_string(i) + ".0.in_layers.0.weight", {1}, "", {}});
  for (int i = 0; i < 100; ++i)
    claims.push_back({unet + "input_blocks.1.1.transformer_blocks." + std::to_string(i) + ".norm1.weight", {1}, "", {}});
  write(claims);
  const std::uint64_t before = peak_memory();
  expect_refused("\"layers_per_block\" = 999");
  EXPECT_LT(peak_memory() - before, 50u << 20);

  ModelFiles one_position = test::sd15();  // would be read past its end
  one_position.text.max_positions = 1;
  write(test::ldm_tensors(one_position));
  expect_refused("\"max_position_embeddings\" = 1");
}

/// Channels beyond the last whole group would miss the norm, and those beyond the last head would stay unwritten.
TEST_F(SingleFile, WidthsAreWholeGroupsAndHeads) {
  ModelFiles odd = test::sd15();
  odd.unet.block_out_channels[0] = 328;
  write(test::ldm_tensors(odd));
  expect_refused("\"norm_num_groups\" = 32");
  odd = test::sd15();
  odd.vae.block_out_channels[0] = 100;
  write(test::ldm_tensors(odd));
  expect_refused("\"norm_num_groups\" = 32");
  odd = test::sd15();
  odd.text.hidden_size = 769;
  odd.text.intermediate_size = 3076;
  write(test::ldm_tensors(odd));
  expect_refused("\"num_attention_heads\" = 12");
}

TEST_F(SingleFile, SaysHowToConvertOtherFormats) {
  for (const auto& [name, bytes, says] : {std::tuple("a.ckpt", std::string("PK\3\4zip"), "weights_only=True"),
                                          {"b.safetensors", std::string("PK\3\4zip"), "weights_only=True"},
                                          {"c.pt", std::string("anything"), "weights_only=True"},
                                          {"d.safetensors", std::string("GGUF\3\0\0\0", 8), "GGUF"},
                                          {"e.gguf", std::string("anything"), "GGUF"}}) {
    try {
      open_model(write_file(folder / name, bytes));
      ADD_FAILURE() << name;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(says), std::string::npos) << e.what();
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace geometry_transfer
