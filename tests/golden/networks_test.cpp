// SPDX-License-Identifier: GPL-3.0-or-later
/// Compares UNet, VAE and DDIM of every family with diffusers, whole tensors, fp32.
#include <c10/core/InferenceMode.h>

#include "diffusion/generation.h"
#include "diffusion/vae.h"
#include "golden.h"

namespace geometry_transfer {
namespace {

using test::expect_close;
using test::kTolerance;

class Networks : public testing::TestWithParam<const char*> {
 protected:
  Networks() : files(test::open_family(GetParam())), golden(test::golden_of(GetParam())) {}

  UNet unet() const { return UNet(files.unet, Weights(files.unet_weights, at::kFloat)); }

  Conditioning conditioning(int64_t rows) const {
    if (!has_text()) return {at::zeros({1, 1, files.unet.cross_attention_dim}), {}, {}};
    Conditioning c{golden["unet.encoder_hidden_states"].narrow(0, 0, rows), {}, {}};
    if (files.unet.text_time) {
      c.pooled = golden["unet.text_embeds"].narrow(0, 0, rows);
      c.time_ids = golden["unet.time_ids"].narrow(0, 0, rows);
    }
    return c;
  }

  bool has_text() const { return files.text.layers > 0; }

  c10::InferenceMode inference;
  ModelFiles files;
  test::Golden golden;
};

TEST_P(Networks, UNetAtThreeTimes) {
  const UNet model = unet();
  const UNetContext context = model.prepare(conditioning(has_text() ? 2 : 1));
  for (const int t : {1, 481, 951})
    expect_close(model.forward(golden["unet.sample"], t, context, PlainMixer()), golden["unet.out." + std::to_string(t)],
                 kTolerance, "unet.out." + std::to_string(t));
}

TEST_P(Networks, VaeBothWays) {
  const Vae vae(files.vae, Weights(files.vae_weights, at::kFloat));
  const bool shipped = !has_text();  // its golden image is in [0,1]
  const at::Tensor image = shipped ? golden["image.source"] * 2 - 1 : golden["vae.image"];
  const Posterior p = vae.posterior(image);
  expect_close(p.mean, golden["vae.mean"], kTolerance, "vae.mean");
  expect_close(p.logvar, golden["vae.logvar"], kTolerance, "vae.logvar");
  expect_close(vae.decode(golden["vae.mean"] * files.vae.scaling_factor), golden["vae.decoded"], kTolerance, "vae.decoded");
}

using Ddim = Networks;  // the shipped model's steps are tested by the whole transfer
TEST_P(Ddim, TwentySteps) {
  const std::vector<double> alphas = alphas_cumprod(files.scheduler);
  const at::Tensor expected = golden["ddim.alphas_cumprod"];
  expect_close(at::tensor(alphas, at::kDouble).to(at::kFloat), expected, 1e-6, "ddim.alphas_cumprod");

  TimeGrid grid = time_grid(files.scheduler, 1000, 20, Spacing::leading);
  grid.clean_alpha = files.scheduler.set_alpha_to_one ? 1 : alphas[0];  // the last step of diffusers
  const UNet model = unet();
  const UNetContext context = model.prepare(conditioning(1));
  GenerationOptions plain;
  plain.reads = {{kOutput}};
  const at::Tensor end =
      generate(golden["ddim.start"], {}, grid, {model, context, files.scheduler.prediction_type}, SamplingOptions(), plain);
  expect_close(end, golden["ddim.end"], kTolerance, "ddim.end");
}

std::string family_name(const testing::TestParamInfo<const char*>& info) { return info.param; }
INSTANTIATE_TEST_SUITE_P(Families, Networks, testing::Values("sd15", "sd21", "sdxl", "surface"), family_name);
INSTANTIATE_TEST_SUITE_P(Families, Ddim, testing::Values("sd15", "sd21", "sdxl"), family_name);

}  // namespace
}  // namespace geometry_transfer
