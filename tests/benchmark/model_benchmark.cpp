// SPDX-License-Identifier: GPL-3.0-or-later
/// Times of the model's parts against this machine's peak in the same run. Items are floating-point operations: compare
/// items_per_second of a row with that of Peak in the same dtype. Run: meson test --benchmark, or
/// build/tests/benchmark/model_benchmark --help.
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include "diffusion/inversion.h"
#include "diffusion/vae.h"
#include "flops.h"
#include "weights/model_files.h"
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

void BM_UNetForward(benchmark::State& state) {
  const c10::InferenceMode mode;
  const ModelFiles files = open_model(surface());
  const UNet unet(files.unet, Weights(files.unet_weights, dtype(state.range(0))));
  const UNetContext context = unet.prepare(empty_prompt(files, at::kFloat, at::kCPU));
  const at::Tensor z = at::randn({state.range(1), 4, 64, 64});
  for (auto _ : state) benchmark::DoNotOptimize(unet.forward(z, 251, context, PlainMixer()));
  state.SetItemsProcessed(state.iterations() * state.range(1) * unet_flops(files.unet, 64, 64, 1));
}
BENCHMARK(BM_UNetForward)
    ->ArgNames({"bits", "rows"})
    ->Args({32, 3})
    ->Args({16, 3})
    ->Args({16, 1})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void BM_VaeEncode(benchmark::State& state) {
  const c10::InferenceMode mode;
  const ModelFiles files = open_model(surface());
  const Vae vae(files.vae, Weights(files.vae_weights, dtype(state.range(0))));
  const at::Tensor image = at::rand({1, 3, 256, 256});
  for (auto _ : state) benchmark::DoNotOptimize(vae.encode(image));
}
BENCHMARK(BM_VaeEncode)->ArgName("bits")->Arg(32)->Arg(16)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_VaeDecode(benchmark::State& state) {
  const c10::InferenceMode mode;
  const ModelFiles files = open_model(surface());
  const Vae vae(files.vae, Weights(files.vae_weights, dtype(state.range(0))));
  const at::Tensor z = at::randn({1, 4, 64, 64});
  for (auto _ : state) benchmark::DoNotOptimize(vae.decode(z));
}
BENCHMARK(BM_VaeDecode)->ArgName("bits")->Arg(32)->Arg(16)->UseRealTime()->Unit(benchmark::kMillisecond);

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
