// SPDX-License-Identifier: GPL-3.0-or-later
/// Compares a whole transfer through the tiny model of every family with prototype.py: every latent of source, target,
/// geometry and output. Both attentions are on, and the output reads all four streams. fp32.
#include <c10/core/InferenceMode.h>

#include "diffusion/harmonize.h"
#include "diffusion/vae.h"
#include "golden.h"

namespace geometry_transfer {
namespace {

using test::expect_close;

constexpr double kOfLatents = 1e-3;

/// Returns the condition that make_transfer.py gave the UNet.
Conditioning conditioning(const ModelFiles& files, const test::Golden& text) {
  if (!files.unet.text_time) return {text["text_encoder.last_hidden_state"], {}, {}};
  const float ids[] = {128, 96, 0, 0, 128, 96};
  return {at::cat({text["text_encoder.penultimate"], text["text_encoder_2.penultimate"]}, -1), text["text_encoder_2.pooled"],
          at::tensor(at::ArrayRef<float>(ids), at::kFloat).unsqueeze(0)};
}

class Families : public testing::TestWithParam<const char*> {};

TEST_P(Families, EveryLatentOfInversionAndGeneration) {
  const c10::InferenceMode inference;
  const std::string name = GetParam();
  const test::Golden golden("tests/golden/transfer.safetensors");
  const ModelFiles files = test::open_family(name);
  const UNet unet(files.unet, Weights(files.unet_weights, at::kFloat));
  const Vae vae(files.vae, Weights(files.vae_weights, at::kFloat));
  const UNetContext context = unet.prepare(conditioning(files, test::golden_text_of(name)));

  HarmonizeInput input;
  input.target = vae.encode(golden["image.target"] * 2 - 1);
  input.geometry = vae.encode(golden["image.edit"] * 2 - 1);
  input.sources = {vae.encode(golden["image.source"] * 2 - 1)};
  input.mask = at::adaptive_avg_pool2d(golden["image.mask"], {16, 12});
  Request request;
  request.geometry_reads = Stream::geometry | Stream::target;
  request.output_reads = Stream::source | Stream::geometry | Stream::target | Stream::output;
  request.restore = 0;
  SamplingOptions sampling;
  sampling.iterations = 2;
  sampling.keep_keys = false;  // as in the prototype: every stream is computed again with the output
  std::vector<at::Tensor> generated;
  const HarmonizeResult out =
      harmonize(input, request, time_grid(files.scheduler, 1000, 4, Spacing::leading),
                {unet, context, files.scheduler.prediction_type}, sampling, [&](const at::Tensor& z) { generated.push_back(z); });

  const at::Tensor inverted = golden[name + ".inverted"];  // (steps, [source target geometry], C, h, w)
  const std::pair<const char*, int> streams[] = {{"target", 1}, {"geometry", 2}, {"source", 0}};
  ASSERT_EQ(generated.size(), 4u);
  for (int step = 0; step < 4; ++step) {
    const std::string at = ", step " + std::to_string(step);
    for (int i = 0; i < 3; ++i)
      expect_close(out.streams[i].trajectory[step + 1], inverted[step].narrow(0, streams[i].second, 1), kOfLatents,
                   streams[i].first + at);
    expect_close(generated[step], golden[name + ".generated"][step], kOfLatents, "output" + at);
  }
  expect_close(((vae.decode(out.latents) + 1) / 2).clamp(0, 1), golden[name + ".decoded"], kOfLatents, "decoded");
}

INSTANTIATE_TEST_SUITE_P(Tiny, Families, testing::Values("sd15", "sd21", "sdxl"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace geometry_transfer
