// SPDX-License-Identifier: GPL-3.0-or-later
/// Laws of the two walks and of the routing, on the model that ships.
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "diffusion/conditioning.h"
#include "diffusion/harmonize.h"
#include "geometry-transfer/error.h"
#include "weights/model_files.h"

namespace geometry_transfer {
namespace {

class Walks : public testing::Test {
 protected:
  Walks()
      : files(open_model(std::string(std::getenv("SOURCE")) + "/core/models/surface")),
        unet(files.unet, Weights(files.unet_weights, at::kFloat)),
        context(unet.prepare(empty_prompt(files, at::kFloat, at::kCPU))),
        grid(time_grid(files.scheduler, 300, 3, Spacing::trailing)) {
    at::manual_seed(7);
    walk.memory_limit = size_t{1} << 30;
  }

  NoisePredictor predictor() const { return {unet, context, files.scheduler.prediction_type}; }
  /// Smooth latents: an image's, not noise.
  static at::Tensor latents() { return at::upsample_bilinear2d(at::randn({1, 4, 4, 4}), {16, 16}, false); }
  static double difference(const at::Tensor& a, const at::Tensor& b) { return ((a - b).norm() / b.norm()).item<double>(); }

  c10::InferenceMode inference;
  ModelFiles files;
  UNet unet;
  UNetContext context;
  TimeGrid grid;
  WalkOptions walk;
};

TEST_F(Walks, InvertThenGenerateReturns) {
  const at::Tensor clean = latents();
  const auto lost = [&](int iterations) {
    std::vector<StreamState> streams{{"image", clean, {{0, 0, {}}}, {}, {}}};
    walk.iterations = iterations;
    invert(streams, grid, predictor(), walk);
    EXPECT_GT(difference(streams[0].trajectory.back(), clean), 0.2) << "it does move";
    GenerationOptions alone;
    alone.reads = {{kOutput, 0, {}}};
    return difference(generate(streams[0].trajectory.back(), streams, grid, predictor(), walk, alone), clean);
  };
  const double converged = lost(12);
  EXPECT_LT(converged, 1e-2);
  EXPECT_LT(converged, 0.1 * lost(1)) << "what is lost is the fixed point's residual";
}

TEST_F(Walks, MoreIterationsLeaveLess) {
  double before = 1;
  for (const int iterations : {1, 2, 4}) {
    std::vector<StreamState> streams{{"image", latents(), {{0, 0, {}}}, {}, {}}};
    walk.iterations = iterations;
    const double residual = invert(streams, grid, predictor(), walk).residuals.back();
    EXPECT_LT(residual, before);
    before = residual;
  }
}

TEST_F(Walks, AStreamThatReadsOnlyItselfIsPlain) {
  const at::Tensor batch = at::cat({latents(), latents()});
  const StreamMixer own({{{0, nullptr, 0, {}}}, {{1, nullptr, 0, {}}}});
  EXPECT_LT(difference(unet.forward(batch, 151, context, own), unet.forward(batch, 151, context, PlainMixer())), 1e-5);
}

TEST_F(Walks, TheOrderOfWhatIsReadChangesNothingAndReadingItDoes) {
  const at::Tensor batch = at::cat({latents(), latents(), latents()});
  const auto read_by_first = [&](const Route& route) {
    return unet.forward(batch, 151, context, StreamMixer({route, {{1, nullptr, 0, {}}}, {{2, nullptr, 0, {}}}})).narrow(0, 0, 1);
  };
  const at::Tensor one = read_by_first({{1, nullptr, 0.3, {}}, {2, nullptr, 0, {}}, {0, nullptr, 0, {}}});
  EXPECT_LT(difference(one, read_by_first({{0, nullptr, 0, {}}, {2, nullptr, 0, {}}, {1, nullptr, 0.3, {}}})), 1e-5);
  EXPECT_GT(difference(one, read_by_first({{0, nullptr, 0, {}}})), 1e-3);
}

TEST_F(Walks, KeysOfNoWeightAreAsGoodAsUnread) {
  const at::Tensor batch = at::cat({latents(), latents()});
  const auto first = [&](const Route& route) {
    return unet.forward(batch, 151, context, StreamMixer({route, {{1, nullptr, 0, {}}}})).narrow(0, 0, 1);
  };
  EXPECT_LT(difference(first({{0, nullptr, 0, {}}, {1, nullptr, -60, {}}}), first({{0, nullptr, 0, {}}})), 1e-5);
}

TEST_F(Walks, OutsideTheMaskTheTargetComesBackExactly) {
  HarmonizeInput input;
  input.target = latents();
  input.geometry = latents();
  input.mask = at::zeros({1, 1, 16, 16});
  input.mask.slice(3, 0, 6).fill_(1);
  Request request;
  request.restore = 1;
  int calls = 0, rows = 0;
  walk.iterations = 1;
  walk.after_call = [&](Walk, int count, int, int) { ++calls, rows += count; };
  const at::Tensor out = harmonize(input, request, grid, predictor(), walk).latents;
  EXPECT_TRUE(at::equal(out.slice(3, 6), input.target.slice(3, 6)));
  EXPECT_GT(difference(out.slice(3, 0, 6), input.target.slice(3, 0, 6)), 0.05);
  // Target and geometry once a step each, the output once: kept keys spare the rest.
  EXPECT_EQ(calls, 9);
  EXPECT_EQ(rows, 9);
}

TEST_F(Walks, CancellingEndsAtTheNextPass) {
  HarmonizeInput input;
  input.target = latents();
  input.geometry = latents();
  input.mask = at::ones({1, 1, 16, 16});
  int calls = 0;
  walk.after_call = [&](Walk, int, int, int) {
    if (++calls == 2) throw Cancelled();
  };
  EXPECT_THROW(harmonize(input, Request(), grid, predictor(), walk), Cancelled);
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace geometry_transfer
