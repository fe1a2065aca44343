// SPDX-License-Identifier: GPL-3.0-or-later
/// Repeats the golden tests with one-file checkpoints in the original names, written from the same tiny models.
#include "weights/single_file.h"

#include <c10/core/InferenceMode.h>

#include "../tools/model_writer.h"
#include "diffusion/text_encoder.h"
#include "diffusion/unet.h"
#include "diffusion/vae.h"
#include "golden.h"
#include "weights/safetensors.h"

namespace geometry_transfer {
namespace {

using test::expect_close;
using test::kTolerance;

class SingleFile : public testing::TestWithParam<const char*> {
 protected:
  SingleFile() : folder(test::open_family(GetParam())), golden(test::golden_of(GetParam())) {
    const std::string path = temporary / "model.safetensors";
    test::write_safetensors(path, test::ldm_tensors(folder), "F32", test::tensors_of(folder));
    const bool v = folder.scheduler.prediction_type == PredictionType::v_prediction;
    file = single_file_model(open_safetensors(path), v ? Prediction::v : Prediction::epsilon);
    // These values of the tiny models cannot be read from shapes, and differ from those of their families.
    file.unet.heads = folder.unet.heads;
    file.unet.norm_num_groups = folder.unet.norm_num_groups;
    file.vae.norm_num_groups = folder.vae.norm_num_groups;
    file.text.heads = folder.text.heads;
    file.text_2.heads = folder.text_2.heads;
  }

  c10::InferenceMode inference;
  ModelFiles folder, file;
  test::Golden golden;
  test::TemporaryFolder temporary;
};

TEST_P(SingleFile, HoldsTheSameTensors) {
  EXPECT_EQ(file.family, folder.family);
  EXPECT_EQ(file.unet.block_out_channels, folder.unet.block_out_channels);
  EXPECT_EQ(file.unet.addition_time_embed_dim, folder.unet.addition_time_embed_dim);
  EXPECT_EQ(file.vae.scaling_factor, folder.vae.scaling_factor);
  EXPECT_EQ(file.text.quick_gelu, folder.text.quick_gelu);
  EXPECT_EQ(file.text.penultimate, folder.text.penultimate);
  const std::pair<std::shared_ptr<const Checkpoint>, std::shared_ptr<const Checkpoint>> parts[] = {
      {file.unet_weights, folder.unet_weights},
      {file.vae_weights, folder.vae_weights},
      {file.text_weights, folder.text_weights},
      {file.text_2_weights, folder.text_2_weights}};
  for (const auto& [mine, theirs] : parts) {
    ASSERT_EQ(mine == nullptr, theirs == nullptr);
    if (!mine) continue;
    for (const std::string& key : theirs->keys()) {
      const auto shape = theirs->find(key)->shape;
      EXPECT_TRUE(at::equal(Weights(mine, at::kFloat).tensor(key, shape), Weights(theirs, at::kFloat).tensor(key, shape))) << key;
    }
  }
}

TEST_P(SingleFile, GivesTheSameNumbers) {
  const UNet unet(file.unet, Weights(file.unet_weights, at::kFloat));
  Conditioning c{golden["unet.encoder_hidden_states"], {}, {}};
  if (file.unet.text_time) {
    c.pooled = golden["unet.text_embeds"];
    c.time_ids = golden["unet.time_ids"];
  }
  const UNetContext context = unet.prepare(c);
  for (const int t : {1, 481, 951})
    expect_close(unet.forward(golden["unet.sample"], t, context, PlainMixer()), golden["unet.out." + std::to_string(t)],
                 kTolerance, "unet.out." + std::to_string(t));
  const Vae vae(file.vae, Weights(file.vae_weights, at::kFloat));
  expect_close(vae.posterior(golden["vae.image"]).mean, golden["vae.mean"], kTolerance, "vae.mean");
  expect_close(vae.decode(golden["vae.mean"] * file.vae.scaling_factor), golden["vae.decoded"], kTolerance, "vae.decoded");

  const test::Golden text = test::golden_text_of(GetParam());
  const auto run = [](const TextConfig& config, const auto& weights) {
    return encode_text(config, weights, at::tensor(empty_prompt_ids(config), at::kLong).unsqueeze(0));
  };
  expect_close(run(file.text, file.text_weights).last_hidden_state, text["text_encoder.last_hidden_state"], kTolerance, "text");
  if (!file.text_2_weights) return;
  const TextOutput second = run(file.text_2, file.text_2_weights);
  expect_close(second.penultimate, text["text_encoder_2.penultimate"], kTolerance, "text 2");
  expect_close(second.pooled, text["text_encoder_2.pooled"], kTolerance, "pooled");
}

INSTANTIATE_TEST_SUITE_P(Families, SingleFile, testing::Values("sd15", "sd21", "sdxl"));

}  // namespace
}  // namespace geometry_transfer
