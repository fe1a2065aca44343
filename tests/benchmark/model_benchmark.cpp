// SPDX-License-Identifier: GPL-3.0-or-later
/// Times of a model's parts, compared with this machine's peak in the same run. The UNet is timed as a whole and block
/// by block on three streams of 64x64 latents, and the VAE, too. Models: the shipped one, and SD 1.5 at full size with
/// random weights (4 GB of memory). Items are floating-point operations: compare items_per_second with that of Peak in
/// the same dtype (share.py prints the table).
/// Run: meson test --benchmark, or build/tests/benchmark/model_benchmark --help.
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include <memory>
#include <optional>

#include "../tools/families.h"
#include "diffusion/unet.h"
#include "diffusion/vae.h"
#include "flops.h"
#include "random_weights.h"
#include "request/memory.h"
#include "weights/model_memory.h"
#include "weights/weights.h"

namespace geometry_transfer {
namespace {

std::string surface() { return std::string(std::getenv("SOURCE") ? std::getenv("SOURCE") : ".") + "/core/models/surface"; }

at::ScalarType dtype(int64_t bits) { return bits == 16 ? at::kBFloat16 : at::kFloat; }

void BM_PeakMatmul(benchmark::State& state) {
  const c10::InferenceMode mode;
  const at::Tensor a = at::randn({2048, 2048}).to(dtype(state.range(0))), b = at::randn({2048, 2048}).to(dtype(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(at::matmul(a, b));
  state.SetItemsProcessed(state.iterations() * int64_t{2} * 2048 * 2048 * 2048);
}
BENCHMARK(BM_PeakMatmul)->ArgName("bits")->Arg(32)->Arg(16)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_PeakConvolution(benchmark::State& state) {
  const c10::InferenceMode mode;
  const auto nhwc = at::MemoryFormat::ChannelsLast;
  const at::Tensor x = at::randn({2, 256, 64, 64}).to(dtype(state.range(0))).contiguous(nhwc);
  const at::Tensor w = at::randn({256, 256, 3, 3}).to(dtype(state.range(0))).contiguous(nhwc);
  for (auto _ : state) benchmark::DoNotOptimize(at::conv2d(x, w, {}, 1, 1));
  state.SetItemsProcessed(state.iterations() * int64_t{2} * 2 * 64 * 64 * 256 * 256 * 9);
}
BENCHMARK(BM_PeakConvolution)->ArgName("bits")->Arg(32)->Arg(16)->UseRealTime()->Unit(benchmark::kMillisecond);

/// Both networks of a model.
struct Loaded {
  std::string name;
  int64_t bits;
  ModelFiles files;
  std::optional<UNet> unet;
  std::optional<Vae> vae;
  UNetContext context;
  int64_t words;

  Loaded(const std::string& model, int64_t width) : name(model), bits(width) {
    if (model == "surface") {
      files = open_model(surface());
    } else {
      files = test::sd15();
      files.unet_weights = std::make_shared<RandomWeights>(unet_tensors(files.unet));
      files.vae_weights = std::make_shared<RandomWeights>(vae_tensors(files.vae));
    }
    const bool narrow = keep_narrow(files);
    unet.emplace(files.unet, Weights(files.unet_weights, dtype(bits), at::kCPU, narrow));
    vae.emplace(files.vae, Weights(files.vae_weights, dtype(bits), at::kCPU, narrow));
    words = model == "surface" ? 1 : 77;
    context = unet->prepare({at::randn({1, words, files.unet.cross_attention_dim}), {}, {}});
  }
};

/// The inputs of each block in a pass of three streams at 64x64 latents.
struct Inputs {
  Tensor time, latents = at::randn({3, 4, 64, 64});
  std::vector<Tensor> into_down, into_up;
  Tensor into_middle, into_last;
  std::vector<std::vector<Tensor>> skips;  ///< as they are before each block of the way up

  Inputs(const Loaded& m, const SelfAttentionMixer& mixer) : time(m.unet->time_embedding(251, m.context)) {
    const UNetLevel::Pass pass{time, m.context, mixer};
    Tensor x = m.unet->first(latents);
    std::vector<Tensor> left{x};
    for (const UNetLevel& block : m.unet->down_blocks()) {
      into_down.push_back(x);
      x = block.down(x, pass, left);
    }
    into_middle = x;
    x = m.unet->mid_block().middle(x, pass);
    for (const UNetLevel& block : m.unet->up_blocks()) {
      into_up.push_back(x);
      skips.push_back(left);
      x = block.up(x, pass, left);
    }
    into_last = x;
  }
};

/// A model and the inputs of its blocks, kept until another model is asked for. Its first pass has packed all weights.
struct Ready : Loaded {
  PlainMixer mixer;
  Inputs in;
  Ready(const std::string& model, int64_t width) : Loaded(model, width), in(*this, mixer) {}

  /// Returns nullptr if the memory is too small.
  static const Ready* of(const std::string& model, int64_t bits) {
    static std::unique_ptr<Ready> kept;
    if (!kept || kept->name != model || kept->bits != bits) {
      kept.reset();
      if (model != "surface" && free_memory() < std::uint64_t{5} << 30) return nullptr;
      kept = std::make_unique<Ready>(model, bits);
    }
    return kept.get();
  }
};

void run_part(benchmark::State& state, const std::string& model, int64_t bits, const std::string& part, int level) {
  const c10::InferenceMode mode;
  const Ready* ready = Ready::of(model, bits);
  if (!ready) return state.SkipWithError("less than 5 GB of memory are free");
  const Ready& m = *ready;
  const PlainMixer& mixer = m.mixer;
  const Inputs& in = m.in;
  const UNetLevel::Pass pass{in.time, m.context, mixer};
  const UNetFlops flops(m.files.unet, 64, 64, m.words);
  const int levels = static_cast<int>(m.files.unet.block_out_channels.size());
  std::vector<Tensor> skips;
  int64_t counted = 0;
  for (auto _ : state) {
    if (part == "down") {
      skips.clear();
      benchmark::DoNotOptimize(m.unet->down_blocks()[level].down(in.into_down[level], pass, skips));
    } else if (part == "mid") {
      benchmark::DoNotOptimize(m.unet->mid_block().middle(in.into_middle, pass));
    } else if (part == "up") {
      skips = in.skips[level];
      benchmark::DoNotOptimize(m.unet->up_blocks()[level].up(in.into_up[level], pass, skips));
    } else {
      benchmark::DoNotOptimize(m.unet->forward(in.latents, 251, m.context, mixer));
    }
  }
  if (part == "down")
    counted = flops.down(level);
  else if (part == "mid")
    counted = flops.middle();
  else if (part == "up")
    counted = flops.up(levels - 1 - level);
  else
    counted = flops.all();
  state.SetItemsProcessed(state.iterations() * 3 * counted);
}

/// One image with sides of 256 pixels: 64 latents of the shipped model, 32 of SD 1.5.
void run_vae(benchmark::State& state, const std::string& model, int64_t bits, bool encode) {
  const c10::InferenceMode mode;
  const Ready* ready = Ready::of(model, bits);
  if (!ready) return state.SkipWithError("less than 5 GB of memory are free");
  const Ready& m = *ready;
  const int64_t side = 256 / m.files.vae.downscale();
  const Tensor image = at::rand({1, 3, 256, 256}), z = at::randn({1, 4, side, side});
  const auto once = [&] { benchmark::DoNotOptimize(encode ? m.vae->encode(image) : m.vae->decode(z)); };
  once();
  for (auto _ : state) once();
  state.SetItemsProcessed(state.iterations() *
                          (encode ? vae_encode_flops(m.files.vae, side, side) : vae_decode_flops(m.files.vae, side, side)));
}

/// Registers MODEL/bits/PART in the order of the pass.
void register_model(const std::string& model, int64_t bits, int levels) {
  const auto add = [&](const std::string& part, const auto& run) {
    benchmark::RegisterBenchmark((model + "/bits:" + std::to_string(bits) + "/" + part).c_str(), run)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  };
  const auto unet = [&](const std::string& label, const std::string& part, int level) {
    add("unet " + label, [=](benchmark::State& state) { run_part(state, model, bits, part, level); });
  };
  unet("whole", "whole", 0);
  for (int level = 0; level < levels; ++level) unet("down " + std::to_string(level), "down", level);
  unet("mid", "mid", 0);
  for (int block = 0; block < levels; ++block) unet("up " + std::to_string(block), "up", block);
  add("vae encode", [=](benchmark::State& state) { run_vae(state, model, bits, true); });
  add("vae decode", [=](benchmark::State& state) { run_vae(state, model, bits, false); });
}

const bool registered = [] {
  register_model("surface", 32, 3);
  register_model("sd15", 32, 4);
  register_model("surface", 16, 3);
  return true;
}();

void BM_LoadSurface(benchmark::State& state) {
  const c10::InferenceMode mode;
  for (auto _ : state) {
    const ModelFiles files = open_model(surface());
    const UNet unet(files.unet, Weights(files.unet_weights, dtype(state.range(0))));
    const Vae vae(files.vae, Weights(files.vae_weights, at::kFloat));
  }
}
BENCHMARK(BM_LoadSurface)->ArgName("bits")->Arg(32)->Arg(16)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace geometry_transfer
