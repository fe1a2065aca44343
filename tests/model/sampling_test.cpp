// SPDX-License-Identifier: GPL-3.0-or-later
/// Laws of inversion, generation and attention routing, on the shipped model.
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "diffusion/conditioning.h"
#include "diffusion/harmonize.h"
#include "diffusion/vae.h"
#include "geometry-transfer/error.h"
#include "weights/model_files.h"

namespace geometry_transfer {
namespace {

class Sampling : public testing::Test {
 protected:
  Sampling()
      : files(open_model(std::string(std::getenv("SOURCE")) + "/core/models/surface")),
        unet(files.unet, Weights(files.unet_weights, at::kFloat)),
        context(unet.prepare(empty_prompt(files, at::kFloat, at::kCPU))),
        grid(time_grid(files.scheduler, 300, 3, Spacing::trailing)) {
    at::manual_seed(7);
    sampling.memory_limit = size_t{1} << 30;
  }

  NoisePredictor predictor() const { return {unet, context, files.scheduler.prediction_type}; }
  /// Returns smooth latents, like those of an image.
  static at::Tensor latents() { return at::upsample_bilinear2d(at::randn({1, 4, 4, 4}), {16, 16}, false); }
  static double difference(const at::Tensor& a, const at::Tensor& b) { return ((a - b).norm() / b.norm()).item<double>(); }

  c10::InferenceMode inference;
  ModelFiles files;
  UNet unet;
  UNetContext context;
  TimeGrid grid;
  SamplingOptions sampling;
};

TEST_F(Sampling, InvertThenGenerateReturns) {
  const at::Tensor clean = latents();
  const auto lost = [&](int iterations) {
    std::vector<StreamState> streams{{"image", clean, {{0}}, {}, {}}};
    sampling.iterations = iterations;
    invert(streams, grid, predictor(), sampling);
    EXPECT_GT(difference(streams[0].trajectory.back(), clean), 0.2) << "it does move";
    GenerationOptions alone;
    alone.reads = {{kOutput}};
    return difference(generate(streams[0].trajectory.back(), streams, grid, predictor(), sampling, alone), clean);
  };
  const double converged = lost(12);
  EXPECT_LT(converged, 1e-2);
  EXPECT_LT(converged, 0.1 * lost(1)) << "what is lost is the fixed point's residual";
}

TEST_F(Sampling, MoreIterationsLeaveLess) {
  double before = 1;
  for (const int iterations : {1, 2, 4}) {
    std::vector<StreamState> streams{{"image", latents(), {{0}}, {}, {}}};
    sampling.iterations = iterations;
    const double residual = invert(streams, grid, predictor(), sampling).residuals.back();
    EXPECT_LT(residual, before);
    before = residual;
  }
}

TEST_F(Sampling, AStreamThatReadsOnlyItselfIsPlain) {
  const at::Tensor batch = at::cat({latents(), latents()});
  const StreamMixer own({{{0, nullptr, 0}}, {{1, nullptr, 0}}});
  EXPECT_LT(difference(unet.forward(batch, 151, context, own), unet.forward(batch, 151, context, PlainMixer())), 1e-5);
}

TEST_F(Sampling, TheOrderOfWhatIsReadChangesNothingAndReadingItDoes) {
  const at::Tensor batch = at::cat({latents(), latents(), latents()});
  const auto read_by_first = [&](const KeySources& sources) {
    return unet.forward(batch, 151, context, StreamMixer({sources, {{1, nullptr, 0}}, {{2, nullptr, 0}}})).narrow(0, 0, 1);
  };
  const at::Tensor one = read_by_first({{1, nullptr, 0.3}, {2, nullptr, 0}, {0, nullptr, 0}});
  EXPECT_LT(difference(one, read_by_first({{0, nullptr, 0}, {2, nullptr, 0}, {1, nullptr, 0.3}})), 1e-5);
  EXPECT_GT(difference(one, read_by_first({{0, nullptr, 0}})), 1e-3);
}

TEST_F(Sampling, KeysOfNoWeightAreAsGoodAsUnread) {
  const at::Tensor batch = at::cat({latents(), latents()});
  const auto first = [&](const KeySources& sources) {
    return unet.forward(batch, 151, context, StreamMixer({sources, {{1, nullptr, 0}}})).narrow(0, 0, 1);
  };
  EXPECT_LT(difference(first({{0, nullptr, 0}, {1, nullptr, -60}}), first({{0, nullptr, 0}})), 1e-5);
}

TEST_F(Sampling, OutsideTheMaskTheTargetComesBackExactly) {
  HarmonizeInput input;
  input.target = latents();
  input.geometry = latents();
  input.mask = at::zeros({1, 1, 16, 16});
  input.mask.slice(3, 0, 6).fill_(1);
  Request request;
  request.restore = 1;
  int calls = 0, rows = 0;
  sampling.iterations = 1;
  sampling.after_pass = [&](SamplingPhase, int count, int, int) { ++calls, rows += count; };
  const at::Tensor out = harmonize(input, request, grid, predictor(), sampling).latents;
  EXPECT_TRUE(at::equal(out.slice(3, 6), input.target.slice(3, 6)));
  EXPECT_GT(difference(out.slice(3, 0, 6), input.target.slice(3, 0, 6)), 0.05);
  // Each step has one pass for target and geometry and one for the output. Kept keys replace the others.
  EXPECT_EQ(calls, 9);
  EXPECT_EQ(rows, 9);
}

TEST(StreamMixer, ALayerLeftOutReadsElsewhereAndNoOtherDoes) {
  const c10::InferenceMode inference;
  at::manual_seed(3);
  const at::Tensor q = at::randn({2, 16, 8}), k = at::randn({2, 16, 8}), v = at::randn({2, 16, 8});
  const KeySource first{0, nullptr, 0}, second{1, nullptr, 0};
  const std::vector<KeySources> each_other{{second}, {first}}, themselves{{first}, {second}};
  const StreamMixer all(each_other), none(themselves), but_one(each_other, themselves, {1, 7});
  for (int index = 0; index < 9; ++index) {
    const AttentionSite site{index, 2, 4, 4};
    const bool inside = index >= 1 && index <= 7;
    EXPECT_TRUE(at::equal(but_one.mix(site, q, k, v), (inside ? all : none).mix(site, q, k, v))) << "site " << index;
  }
  EXPECT_FALSE(at::allclose(all.mix({1, 2, 4, 4}, q, k, v), none.mix({1, 2, 4, 4}, q, k, v)));
}

TEST(AttendedLayers, AreThoseWhoseMiddleLiesInTheRange) {
  Request request;
  EXPECT_EQ(attended_layers(request, 11), (Span{0, 10}));
  request.attention_from_layer = 0.4;  // between the sites at 3.5 / 11 and 4.5 / 11
  EXPECT_EQ(attended_layers(request, 11), (Span{4, 10}));
  request.attention_to_layer = 0.5;
  EXPECT_EQ(attended_layers(request, 11), (Span{4, 4}));
  request.attention_to_layer = 0.4;
  EXPECT_FALSE(attended_layers(request, 11).holds(4));
}

/// Two pictures that differ inside the mask and a reference, in three steps.
class Ranges : public Sampling {
 protected:
  Ranges() {
    input.target = latents();
    input.mask = at::zeros({1, 1, 16, 16});
    input.mask.slice(2, 5, 9).slice(3, 5, 9).fill_(1);
    input.geometry = input.target + input.mask * latents();
    input.sources = {latents()};
    sampling.iterations = 1;
    sampling.after_pass = [this](SamplingPhase, int count, int done, int of) { rows += count, complete = done == of; };
  }
  HarmonizeResult run() {
    rows = 0;
    return harmonize(input, request, grid, predictor(), sampling, [this](const at::Tensor& z) { steps.push_back(z); });
  }
  void turn_off() {
    request.geometry_reads = {static_cast<unsigned>(Stream::geometry)};
    request.output_reads = {static_cast<unsigned>(Stream::output)};
  }

  HarmonizeInput input;
  Request request;
  std::vector<at::Tensor> steps;
  int rows = 0;
  bool complete = false;
};

TEST_F(Ranges, NoneIsOffAndAllIsTheDefault) {
  const at::Tensor all = run().latents;
  request.attention_from_layer = 0.51;
  request.attention_to_layer = 0.52;  // the range holds no site's middle
  const at::Tensor no_site = run().latents;
  request.attention_to_layer = 0.51;
  const at::Tensor no_layer = run().latents;
  request = {};
  request.attention_from_noise = 301;
  const at::Tensor no_time = run().latents;
  request = {};
  request.attention_to_noise = 300;  // the grid's last
  EXPECT_TRUE(at::equal(run().latents, all));
  turn_off();
  const at::Tensor off = run().latents;
  EXPECT_GT(difference(off, all), 1e-3);
  EXPECT_TRUE(at::equal(no_layer, off));
  EXPECT_TRUE(at::equal(no_time, off));
  EXPECT_LT(difference(no_site, off), 1e-5);
}

TEST_F(Ranges, LayersAndTimesOutsideAreAsWithoutAttention) {
  request.attention_from_layer = 0.91;  // the last of 11
  const HarmonizeResult last = run();
  EXPECT_FALSE(last.streams[0].memory[0].k.at(9).defined()) << "nobody reads it";
  EXPECT_TRUE(last.streams[0].memory[0].k.at(10).defined());
  request.attention_from_layer = 0;
  const at::Tensor all = run().latents;
  EXPECT_GT(difference(last.latents, all), 1e-4);

  // Only the result reads, below t = 300. The first step down equals that without attention, the second does not.
  request.geometry_reads = {static_cast<unsigned>(Stream::geometry)};
  request.attention_to_noise = 299;
  steps.clear();
  const HarmonizeResult late = run();
  EXPECT_TRUE(late.streams[0].memory[2].empty());
  turn_off();
  run();
  EXPECT_LT(difference(steps[0], steps[3]), 1e-5);
  EXPECT_GT(difference(steps[1], steps[4]), 1e-4);
}

TEST_F(Ranges, AReferenceIsInvertedNoFurtherThanItIsRead) {
  request.output_reads = Stream::source | Stream::target;
  run();
  EXPECT_EQ(rows, 12);
  request.attention_to_noise = 200;
  run();
  EXPECT_EQ(rows, 11);
  EXPECT_TRUE(complete) << "progress ends at its end";
  request.attention_to_noise = 99;  // below the grid's first time
  run();
  EXPECT_EQ(rows, 9);
}

TEST_F(Ranges, HoldInAWindowToo) {
  const Window window{0, 4, 12, 12, 16, 16};
  const auto disagree = [&] {
    input.window = {};
    const at::Tensor whole = run().latents;
    input.window = window;
    return difference(run().latents, whole);
  };
  const double without = disagree();
  request.attention_from_layer = 0.4;
  EXPECT_LT(disagree(), 2 * without + 1e-4);
  request.attention_to_noise = 150;
  EXPECT_LT(disagree(), 2 * without + 1e-4);
  turn_off();
  EXPECT_LT(disagree(), 2 * without + 1e-4);
  sampling.memory_limit = 0;  // no keys are kept; the output reads only itself and is computed whole
  EXPECT_LT(disagree(), 2 * without + 1e-4);
}

TEST_F(Sampling, AWindowOfThePictureItselfIsItsPart) {
  const at::Tensor picture = latents();
  const Window window{4, 0, 8, 12, 16, 16};  // touches one border of the canvas
  Surroundings around;
  std::vector<KeyMemory> kept(1);
  WindowPass record(around, window, 1);
  const StreamMixer keeping({{{0, nullptr, 0}}, {{1, nullptr, 0}}}, {nullptr, &kept[0]});
  const at::Tensor whole = unet.forward(at::cat({latents(), picture}), 151, context, keeping, &record).narrow(0, 1, 1);
  EXPECT_LT(difference(whole, unet.forward(picture, 151, context, PlainMixer())), 1e-5) << "recording changes nothing";
  WindowPass within(around);
  const StreamMixer itself({{{0, nullptr, 0, window, &kept[0]}}});
  const at::Tensor part = unet.forward(window.cut(picture), 151, context, itself, &within);
  EXPECT_LT(difference(part, window.cut(whole)), 1e-4);
  EXPECT_GT(difference(unet.forward(window.cut(picture), 151, context, PlainMixer()), window.cut(whole)), 0.02)
      << "without its surroundings it is another picture";
}

TEST_F(Sampling, TheAutoencoderInAWindow) {
  const Vae vae(files.vae, Weights(files.vae_weights, at::kFloat));
  const at::Tensor z = latents(), image = at::upsample_bilinear2d(at::rand({1, 3, 8, 8}) * 2 - 1, {64, 64}, false);
  const Window window{4, 8, 8, 8, 16, 16};
  const auto agrees = [&](const auto& run, const at::Tensor& x) {
    Surroundings around;
    WindowPass record(around, window, 0), within(around);
    const at::Tensor whole = run(x, &record);
    EXPECT_LT(difference(run(window.cut(x), &within), window.cut(whole)), 1e-4);
  };
  agrees([&](const at::Tensor& x, WindowPass* pass) { return vae.decode(x, pass); }, z);
  agrees([&](const at::Tensor& x, WindowPass* pass) { return vae.encode(x, pass); }, image);
}

TEST_F(Sampling, AWindowEndsNearTheWholeCanvas) {
  HarmonizeInput input;
  input.target = latents();
  const Window changed{4, 4, 4, 4, 16, 16};
  input.geometry = changed.pasted(input.target, changed.cut(latents()));
  input.mask = at::zeros({1, 1, 16, 16});
  changed.cut(input.mask).fill_(1);
  Request request;
  int64_t rows = 0;
  sampling.after_pass = [&](SamplingPhase, int count, int, int) { rows += count; };
  const auto run = [&] { return harmonize(input, request, grid, predictor(), sampling).latents; };
  const at::Tensor whole = run();
  input.window = window_round(input.mask, 2, 4);
  EXPECT_EQ(input.window.height, 12);  // 2 to 10, rounded out to multiples of 4
  const double moved = difference(changed.cut(whole), changed.cut(input.geometry));
  const at::Tensor in_window = run();
  EXPECT_LT(difference(changed.cut(in_window), changed.cut(whole)), 0.2 * moved);
  EXPECT_FALSE(at::equal(in_window, whole)) << "it was not used";
  EXPECT_TRUE(at::equal(in_window.slice(3, 8), input.target.slice(3, 8)));
  sampling.memory_limit = 0;  // no keys are kept, so generation computes whole images
  rows = 0;
  const at::Tensor not_kept = run();
  EXPECT_EQ(rows, 3 * 2 * 2 + 3 * 3);
  input.window = {};
  EXPECT_LT(difference(changed.cut(not_kept), changed.cut(run())), 0.2 * moved);
}

TEST_F(Sampling, AWindowLiesOnTheGridAndPays) {
  at::Tensor changed = at::zeros({1, 1, 32, 48});
  EXPECT_TRUE(window_round(changed, 4, 8).empty());
  changed[0][0][9][30] = 0.001;
  const Window w = window_round(changed, 4, 8);
  EXPECT_EQ((std::vector<int64_t>{w.top, w.left, w.height, w.width}), (std::vector<int64_t>{0, 24, 16, 16}));
  changed.fill_(1);
  EXPECT_TRUE(window_round(changed, 4, 8).empty());
}

TEST_F(Sampling, WhatEndsEarlyIsCountedAsDone) {
  std::vector<StreamState> streams{{"image", latents(), {{0}}, {}, {}}, {"other", latents(), {{0}, {1}}, {}, {}}};
  sampling.iterations = 5;
  sampling.tolerance = 0.5;  // the second iteration always moves less than that
  int calls = 0, last = 0, all = 0;
  sampling.after_pass = [&](SamplingPhase, int, int done, int of) {
    EXPECT_GT(done, last);
    ++calls, last = done, all = of;
  };
  invert(streams, grid, predictor(), sampling);
  EXPECT_LT(calls, all);
  EXPECT_EQ(last, all) << "whoever shows progress or waits for the next phase must see the end";
}

TEST_F(Sampling, CancellingEndsAtTheNextPass) {
  HarmonizeInput input;
  input.target = latents();
  input.geometry = latents();
  input.mask = at::ones({1, 1, 16, 16});
  int calls = 0;
  sampling.after_pass = [&](SamplingPhase, int, int, int) {
    if (++calls == 2) throw Cancelled();
  };
  EXPECT_THROW(harmonize(input, Request(), grid, predictor(), sampling), Cancelled);
  EXPECT_EQ(calls, 2);
}

/// One step to t = 300 with two different pictures. The mask is soft unless a law sets it.
class OneStep : public Sampling {
 protected:
  OneStep() {
    grid = time_grid(files.scheduler, 300, 1, Spacing::trailing);
    input.target = latents();
    input.geometry = latents();
    input.mask = at::full({1, 1, 16, 16}, 0.5);
    sampling.iterations = 1;
  }
  at::Tensor run() { return harmonize(input, request, grid, predictor(), sampling).latents; }

  HarmonizeInput input;
  Request request;
};

TEST_F(OneStep, PartOfTheTargetIsRestoredByItsShare) {
  input.mask.zero_();
  input.mask.slice(3, 0, 6).fill_(1);
  const auto with = [&](double restore) {
    request.restore = restore;
    return run();
  };
  const at::Tensor none = with(0), some = with(0.3), all = with(1);
  EXPECT_GT(difference(none.slice(3, 6), input.target.slice(3, 6)), 0.05) << "nothing is put back";
  EXPECT_LT(difference(some, 0.7 * none + 0.3 * all), 1e-5);
  EXPECT_TRUE(at::equal(all.slice(3, 6), input.target.slice(3, 6)));
  EXPECT_TRUE(at::equal(none.slice(3, 0, 6), all.slice(3, 0, 6))) << "inside the mask restoring changes nothing";
}

TEST_F(OneStep, ASoftMaskBlendsTheTrajectories) {
  request.restore = 0;
  const at::Tensor result = run();
  std::vector<StreamState> streams = make_streams(input, request);
  invert(streams, grid, predictor(), sampling);
  GenerationOptions options;
  options.reads = {{1}, {0}};
  options.mask = input.mask;
  const at::Tensor halfway = 0.5 * streams[1].trajectory.back() + 0.5 * streams[0].trajectory.back();
  EXPECT_LT(difference(generate(halfway, streams, grid, predictor(), sampling, options), result), 1e-5);
  EXPECT_GT(difference(generate(streams[1].trajectory.back(), streams, grid, predictor(), sampling, options), result), 0.05);
}

TEST_F(OneStep, AWeightOfTwoIsTheSamePictureTwice) {
  request.output_reads = Stream::source | Stream::target;
  const at::Tensor picture = latents();
  const auto with = [&](std::vector<at::Tensor>& list, std::vector<double>& weights, int copies, double weight) {
    list.assign(copies, picture);
    weights.assign(copies, weight);
    return run();
  };
  for (const bool texture : {false, true}) {
    std::vector<at::Tensor>& list = texture ? input.textures : input.sources;
    std::vector<double>& weights = texture ? input.texture_weights : input.source_weights;
    if (texture) input.sources = {latents()}, input.source_weights = {1};
    const at::Tensor once = with(list, weights, 1, 1), heavy = with(list, weights, 1, 2), twice = with(list, weights, 2, 1);
    EXPECT_LT(difference(heavy, twice), 1e-4) << (texture ? "texture" : "source");
    EXPECT_GT(difference(heavy, once), 10 * difference(heavy, twice)) << (texture ? "texture" : "source");
  }
}

TEST_F(OneStep, TheResidualIsThatOfTheWorstStream) {
  const auto residual = [&](std::vector<at::Tensor> pictures, bool together) {
    std::vector<StreamState> streams;
    for (const at::Tensor& picture : pictures) {
      const int place = static_cast<int>(streams.size());
      streams.push_back({"image", picture, {{place}}, {}, {}});
    }
    if (!together && streams.size() > 1) streams[1].reads = {{0, -60}, {1}};  // in a batch of its own
    sampling.keep_keys = !together;
    return invert(streams, grid, predictor(), sampling).residuals.at(0);
  };
  const at::Tensor rough = at::randn({1, 4, 16, 16}), smooth = 3 * latents();
  const double first = residual({rough}, true), second = residual({smooth}, true);
  ASSERT_GT(std::abs(first - second), 0.05 * std::max(first, second));
  EXPECT_NEAR(residual({rough, smooth}, true), std::max(first, second), 1e-4);
  EXPECT_NEAR(residual({smooth, rough}, true), std::max(first, second), 1e-4);
  EXPECT_NEAR(residual({rough, smooth}, false), std::max(first, second), 1e-4);
  EXPECT_NEAR(residual({smooth, rough}, false), std::max(first, second), 1e-4);
}

TEST(StreamMixer, AWindowIsReadWithItsWeight) {
  const c10::InferenceMode inference;
  at::manual_seed(5);
  const Window window{1, 0, 2, 3, 4, 4};
  const at::Tensor k = at::randn({1, 16, 8}), v = at::randn({1, 16, 8}),
                   inside = window.outside(4, 4).logical_not().nonzero().flatten();
  KeyMemory whole, other;
  whole.k = {k}, whole.v = {v};
  other.k = {at::randn({1, 16, 8})}, other.v = {at::randn({1, 16, 8})};
  const at::Tensor k_inside = k.index_select(1, inside), v_inside = v.index_select(1, inside), q = at::randn({1, 6, 8});
  const AttentionSite site{0, 2, 2, 3};
  const auto mixed = [&](const KeySource& first) {
    return StreamMixer({{first, {-1, &other}}}).mix(site, q, k_inside, v_inside);
  };
  // If a picture equals the surroundings of its window, the window gives the same as the whole picture, also with a
  // weight.
  const at::Tensor in_window = mixed({0, nullptr, 0.8, window, &whole}), as_whole = mixed({-1, &whole, 0.8});
  EXPECT_LT((in_window - as_whole).abs().max().item<double>(), 1e-5);
  EXPECT_GT((in_window - mixed({-1, &whole, 0})).abs().max().item<double>(), 1e-2);
}

TEST(ChangeWindow, LeavesAMarginOfFourLatentsRoundEveryChange) {
  const at::Tensor target = at::zeros({1, 3, 256, 256}), none = at::zeros({1, 1, 256, 256});
  at::Tensor edit = target.clone(), mask = none.clone();
  edit[0][1][128][96] = 0.01;  // latent (16, 12)
  const auto sides = [](const Window& w) { return std::vector<int64_t>{w.top, w.left, w.height, w.width}; };
  EXPECT_EQ(sides(change_window(target, edit, none, 8, 1)), (std::vector<int64_t>{12, 8, 9, 9}));
  mask[0][0][128][96] = 0.5;
  EXPECT_EQ(sides(change_window(target, target, mask, 8, 1)), (std::vector<int64_t>{12, 8, 9, 9}));
}

TEST(Schedule, ZeroTerminalSnrEndsJustAboveZero) {
  SchedulerConfig config;
  const std::vector<double> plain = alphas_cumprod(config);
  config.rescale_betas_zero_snr = true;
  const std::vector<double> rescaled = alphas_cumprod(config);
  EXPECT_EQ(rescaled.back(), std::pow(2.0, -24)) << "as diffusers does, so that nothing is divided by 0";
  EXPECT_NEAR(rescaled.front(), plain.front(), 1e-12);
  const at::Tensor z = at::ones({1, 4, 2, 2});
  EXPECT_TRUE(at::isfinite(ddim_move(z, z, rescaled.back(), rescaled.front())).all().item<bool>());
}

TEST(Conditioning, TellsSdxlTheSizeOfThePicture) {
  UNetConfig unet;
  EXPECT_FALSE(for_size({}, unet, {384, 640}).time_ids.defined());
  unet.text_time = true;
  const at::Tensor ids = for_size({}, unet, {384, 640}).time_ids;  // width, height
  EXPECT_TRUE(at::equal(ids, at::tensor({640.f, 384.f, 0.f, 0.f, 640.f, 384.f}).unsqueeze(0)));
}

}  // namespace
}  // namespace geometry_transfer
