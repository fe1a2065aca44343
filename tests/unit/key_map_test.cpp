// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/key_map.h"

#include <gtest/gtest.h>

#include <set>

#include "../tools/families.h"
#include "../tools/model_writer.h"

namespace geometry_transfer {
namespace {

using test::FileTensor;

/// Numbers of tensors in the published models.
struct Family {
  ModelFiles (*model)();
  std::size_t unet, vae, text, text_2;
};
const Family families[] = {{test::sd15, 686, 248, 196, 0}, {test::sd21, 686, 248, 372, 0}, {test::sdxl, 1680, 248, 196, 517}};

TEST(KeyMap, EveryTensorOfFullSizeModelsGoesThereAndBack) {
  for (const Family& family : families) {
    const ModelFiles m = family.model();
    EXPECT_EQ(unet_tensors(m.unet).size(), family.unet) << m.name;
    EXPECT_EQ(vae_tensors(m.vae).size(), family.vae) << m.name;
    EXPECT_EQ(text_tensors(m.text).size(), family.text) << m.name;
    EXPECT_EQ(m.text_2.layers ? text_tensors(m.text_2).size() : 0, family.text_2) << m.name;
    std::set<std::string> taken;
    for (const auto& [part, map] : test::ldm_maps(m)) {
      for (const TensorSpec& spec : test::specs_of(m, part)) {
        const auto stored = map.to_file(spec.key);
        ASSERT_TRUE(stored) << m.name << ": " << spec.key << " has no place in the file";
        EXPECT_TRUE(taken.insert(stored->key + "#" + std::to_string(stored->part)).second) << stored->key << " is taken twice";
        const auto back = map.to_model(stored->key);
        ASSERT_EQ(back.size(), static_cast<std::size_t>(stored->parts)) << m.name << ": " << stored->key;
        const Stored& mine = back[static_cast<std::size_t>(stored->part)];
        EXPECT_EQ(mine.key, spec.key);
        EXPECT_EQ(mine.part, stored->part);
        EXPECT_EQ(mine.parts, stored->parts);
        EXPECT_EQ(mine.transposed, stored->transposed);
        EXPECT_EQ(mine.conv, stored->conv);
      }
    }
  }
}

// Pairs from published files, because errors in both directions of a row would cancel.
TEST(KeyMap, KnownPairs) {
  struct Pair {
    ModelFiles (*model)();
    const char *part, *model_key, *file_key;
  };
  const Pair pairs[] = {
      {test::sd15, "unet", "conv_in.weight", "model.diffusion_model.input_blocks.0.0.weight"},
      {test::sd15, "unet", "time_embedding.linear_2.bias", "model.diffusion_model.time_embed.2.bias"},
      {test::sd15, "unet", "down_blocks.0.downsamplers.0.conv.weight", "model.diffusion_model.input_blocks.3.0.op.weight"},
      {test::sd15, "unet", "down_blocks.1.resnets.0.conv_shortcut.weight",
       "model.diffusion_model.input_blocks.4.0.skip_connection.weight"},
      {test::sd15, "unet", "down_blocks.2.attentions.1.transformer_blocks.0.attn2.to_k.weight",
       "model.diffusion_model.input_blocks.8.1.transformer_blocks.0.attn2.to_k.weight"},
      {test::sd15, "unet", "down_blocks.3.resnets.1.time_emb_proj.weight",
       "model.diffusion_model.input_blocks.11.0.emb_layers.1.weight"},
      {test::sd15, "unet", "mid_block.resnets.1.norm2.weight", "model.diffusion_model.middle_block.2.out_layers.0.weight"},
      {test::sd15, "unet", "mid_block.attentions.0.proj_in.weight", "model.diffusion_model.middle_block.1.proj_in.weight"},
      {test::sd15, "unet", "up_blocks.0.upsamplers.0.conv.weight", "model.diffusion_model.output_blocks.2.1.conv.weight"},
      {test::sd15, "unet", "up_blocks.1.upsamplers.0.conv.weight", "model.diffusion_model.output_blocks.5.2.conv.weight"},
      {test::sd15, "unet", "up_blocks.3.resnets.2.norm1.weight", "model.diffusion_model.output_blocks.11.0.in_layers.0.weight"},
      {test::sd15, "unet", "up_blocks.3.attentions.2.norm.bias", "model.diffusion_model.output_blocks.11.1.norm.bias"},
      {test::sd15, "unet", "conv_norm_out.weight", "model.diffusion_model.out.0.weight"},
      {test::sdxl, "unet", "add_embedding.linear_1.weight", "model.diffusion_model.label_emb.0.0.weight"},
      {test::sdxl, "unet", "down_blocks.1.attentions.0.transformer_blocks.1.ff.net.0.proj.weight",
       "model.diffusion_model.input_blocks.4.1.transformer_blocks.1.ff.net.0.proj.weight"},
      {test::sdxl, "unet", "up_blocks.1.upsamplers.0.conv.bias", "model.diffusion_model.output_blocks.5.2.conv.bias"},
      {test::sdxl, "unet", "up_blocks.2.resnets.2.conv2.bias", "model.diffusion_model.output_blocks.8.0.out_layers.3.bias"},
      {test::sd15, "vae", "encoder.down_blocks.0.downsamplers.0.conv.weight",
       "first_stage_model.encoder.down.0.downsample.conv.weight"},
      {test::sd15, "vae", "encoder.mid_block.attentions.0.to_out.0.weight",
       "first_stage_model.encoder.mid.attn_1.proj_out.weight"},
      {test::sd15, "vae", "decoder.up_blocks.0.resnets.2.conv1.weight", "first_stage_model.decoder.up.3.block.2.conv1.weight"},
      {test::sd15, "vae", "decoder.up_blocks.2.resnets.0.conv_shortcut.weight",
       "first_stage_model.decoder.up.1.block.0.nin_shortcut.weight"},
      {test::sd15, "vae", "decoder.up_blocks.2.upsamplers.0.conv.weight", "first_stage_model.decoder.up.1.upsample.conv.weight"},
      {test::sd15, "vae", "encoder.conv_norm_out.bias", "first_stage_model.encoder.norm_out.bias"},
      {test::sd15, "text_encoder", "text_model.encoder.layers.11.mlp.fc2.bias",
       "cond_stage_model.transformer.text_model.encoder.layers.11.mlp.fc2.bias"},
      {test::sd21, "text_encoder", "text_model.encoder.layers.0.self_attn.v_proj.weight",
       "cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight"},
      {test::sd21, "text_encoder", "text_model.embeddings.position_embedding.weight",
       "cond_stage_model.model.positional_embedding"},
      {test::sdxl, "text_encoder_2", "text_projection.weight", "conditioner.embedders.1.model.text_projection"},
      {test::sdxl, "text_encoder_2", "text_model.encoder.layers.31.mlp.fc1.weight",
       "conditioner.embedders.1.model.transformer.resblocks.31.mlp.c_fc.weight"},
  };
  for (const Pair& pair : pairs)
    for (const auto& [part, map] : test::ldm_maps(pair.model()))
      if (part == pair.part) {
        const auto stored = map.to_file(pair.model_key);
        ASSERT_TRUE(stored) << pair.model_key;
        EXPECT_EQ(stored->key, pair.file_key);
      }
}

TEST(KeyMap, ForeignKeysHaveNoPlace) {
  const KeyMap map = test::ldm_maps(test::sd15())[0].second;
  for (const char* key :
       {"first_stage_model.encoder.conv_in.weight", "model.diffusion_model.input_blocks.12.0.in_layers.0.weight",
        "model.diffusion_model.input_blocks.3.0.in_layers.0.weight", "model.diffusion_model.input_blocks.01.0.in_layers.0.weight",
        "model.diffusion_model.input_blocks.99999.0.in_layers.0.weight",
        "model.diffusion_model.input_blocks.1.0.in_layers.1.weight", "model.diffusion_model.input_blocks.1.0.op.weight",
        "model.diffusion_model.output_blocks.12.0.in_layers.0.weight", "model.diffusion_model.middle_block.3.weight",
        // The change of resolution is the third block if the level has attention, else the second.
        "model.diffusion_model.output_blocks.2.2.conv.weight", "model.diffusion_model.output_blocks.2.1.proj_in.weight",
        "model.diffusion_model.input_blocks.11.1.proj_in.weight", "model.diffusion_model.",
        "model.diffusion_model.input_blocks..0.weight", ""})
    EXPECT_TRUE(map.to_model(key).empty()) << key;
  EXPECT_FALSE(map.to_file("down_blocks.4.resnets.0.norm1.weight"));
  EXPECT_FALSE(map.to_file("nonsense"));
  EXPECT_FALSE(map.to_file("up_blocks.0.attentions.2.conv.weight"));
  EXPECT_FALSE(map.to_file("conv_in."));
  EXPECT_FALSE(test::ldm_maps(test::sd15())[1].second.to_file("decoder.up_blocks.4.resnets.1.conv2.bias"));
  EXPECT_FALSE(map.to_file("down_blocks.3.resnets.2.norm2.bias"));
  EXPECT_TRUE(map.to_file("up_blocks.3.resnets.2.norm2.bias"));
  EXPECT_TRUE(map.to_model("model.diffusion_model.input_blocks.0.0.").empty());
}

}  // namespace
}  // namespace geometry_transfer
