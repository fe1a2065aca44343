// SPDX-License-Identifier: GPL-3.0-or-later
/// Compares a whole transfer of the shipped model with the executable reference: every latent of inversion and
/// generation.
#include <c10/core/InferenceMode.h>

#include "diffusion/harmonize.h"
#include "diffusion/vae.h"
#include "golden.h"

namespace geometry_transfer {
namespace {

using test::expect_close;

class Transfer128 : public testing::Test {
 protected:
  Transfer128()
      : files(test::open_family("surface")),
        golden(test::golden_of("surface")),
        unet(files.unet, Weights(files.unet_weights, at::kFloat)),
        vae(files.vae, Weights(files.vae_weights, at::kFloat)),
        context(unet.prepare(empty_prompt(files, at::kFloat, at::kCPU))) {
    request.geometry_reads = Stream::geometry | Stream::target;
    request.output_reads = Stream::geometry | Stream::target;
    request.restore = 0;
    request.reuse_keys = false;
    sampling.iterations = 2;
    sampling.keep_keys = false;
    const auto latents = [&](const char* name) { return vae.encode(golden[name] * 2 - 1); };
    input.target = latents("image.target");
    input.geometry = latents("transfer.edit");
    input.mask = at::adaptive_avg_pool2d(golden["image.mask"], {32, 32});
  }

  HarmonizeResult run(std::vector<at::Tensor>* steps = nullptr) {
    return harmonize(input, request, grid(), {unet, context, files.scheduler.prediction_type}, sampling,
                     [&](const at::Tensor& z) {
                       if (steps) steps->push_back(z);
                     });
  }
  TimeGrid grid() const { return time_grid(files.scheduler, noise, steps, Spacing::leading); }

  c10::InferenceMode inference;
  ModelFiles files;
  test::Golden golden;
  UNet unet;
  Vae vae;
  UNetContext context;
  Request request;
  double noise = 1000;
  int steps = 4;
  SamplingOptions sampling;
  HarmonizeInput input;
};

TEST_F(Transfer128, EveryLatentOfInversionAndGeneration) {
  EXPECT_EQ(grid().timesteps, (std::vector<int>{1, 251, 501, 751}));
  std::vector<at::Tensor> steps;
  const HarmonizeResult out = run(&steps);
  const at::Tensor inverted = golden["transfer.inverted"];  // (steps, [source target geometry], C, h, w)
  for (int i = 0; i < 4; ++i) {
    expect_close(out.streams[0].trajectory[i + 1], inverted[i].narrow(0, 1, 1), 1e-3, "target, step " + std::to_string(i));
    expect_close(out.streams[1].trajectory[i + 1], inverted[i].narrow(0, 2, 1), 1e-3, "geometry, step " + std::to_string(i));
    expect_close(steps[i], golden["transfer.generated"][i], 1e-3, "generated, step " + std::to_string(i));
  }
  expect_close(((vae.decode(out.latents) + 1) / 2).clamp(0, 1), golden["transfer.decoded"], 1e-3, "decoded");
}

TEST_F(Transfer128, KeptKeysStayNearTheRecomputedOnes) {
  // The sums differ: kept keys are those of the last iterate before the solution. The difference is at most the
  // residual.
  noise = 400;
  steps = 2;
  sampling.iterations = 4;
  const at::Tensor recomputed = run().latents;
  const auto difference = [&](const at::Tensor& z) { return ((z - recomputed).norm() / recomputed.norm()).item<double>(); };
  sampling.keep_keys = true;
  sampling.memory_limit = size_t{1} << 30;
  EXPECT_LT(difference(run().latents), 0.03) << "kept";
  sampling.memory_limit = 0;
  EXPECT_LT(difference(run().latents), 0.03) << "nothing may be kept: computed again";
}

}  // namespace
}  // namespace geometry_transfer
