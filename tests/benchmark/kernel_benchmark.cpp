// SPDX-License-Identifier: GPL-3.0-or-later
/// Times of the kernels at the sizes of the surface model and its VAE. Items are floating-point operations of the
/// direct formula, so different methods can be compared. Run: meson test --benchmark, or
/// build/tests/benchmark/kernel_benchmark --help.
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include "diffusion/attention.h"
#include "diffusion/kernels/elementwise.h"
#include "diffusion/kernels/norm.h"
#include "diffusion/kernels/packed.h"
#include "diffusion/kernels/winograd.h"

namespace geometry_transfer {
namespace {

constexpr auto kNhwc = at::MemoryFormat::ChannelsLast;

at::ScalarType dtype(int64_t bits) { return bits == 16 ? at::kBFloat16 : at::kFloat; }

/// Arguments of 3x3 convolutions: side, channels in and out, bits of a number.
void convolutions(benchmark::internal::Benchmark* b) {
  b->ArgNames({"side", "in", "out", "bits"});
  for (const auto& [side, in, out] : std::vector<std::array<int64_t, 3>>{{256, 64, 64},
                                                                         {256, 128, 128},
                                                                         {128, 128, 128},
                                                                         {128, 192, 192},
                                                                         {64, 192, 192},
                                                                         {64, 96, 96},
                                                                         {64, 192, 96},
                                                                         {32, 192, 192},
                                                                         {32, 384, 192},
                                                                         {16, 320, 320}})
    for (const int64_t bits : {32, 16}) b->Args({side, in, out, bits});
  b->UseRealTime()->Unit(benchmark::kMillisecond);
}

struct Convolution {
  at::Tensor x, w, b;
  explicit Convolution(const benchmark::State& s)
      : x(at::randn({1, s.range(1), s.range(0), s.range(0)}).to(dtype(s.range(3))).contiguous(kNhwc)),
        w(at::randn({s.range(2), s.range(1), 3, 3}).to(dtype(s.range(3)))),
        b(at::randn({s.range(2)})) {}
  void count(benchmark::State& s) const {
    s.SetItemsProcessed(s.iterations() * 18 * s.range(0) * s.range(0) * s.range(1) * s.range(2));
  }
};

void BM_DirectConvolution(benchmark::State& state) {
  const c10::InferenceMode mode;
  const Convolution c(state);
  const PackedConv2d layer(c.w, c.b, 1, 1);
  for (auto _ : state) benchmark::DoNotOptimize(layer(c.x));
  c.count(state);
}
BENCHMARK(BM_DirectConvolution)->Apply(convolutions);

void BM_WinogradConvolution(benchmark::State& state) {
  const c10::InferenceMode mode;
  const Convolution c(state);
  if (!WinogradConv2d::takes(c.w)) return state.SkipWithError("not taken");
  const WinogradConv2d layer(c.w);
  for (auto _ : state) benchmark::DoNotOptimize(layer(c.x, {}, c.b));
  c.count(state);
}
BENCHMARK(BM_WinogradConvolution)->Apply(convolutions);

void BM_Linear(benchmark::State& state) {
  const c10::InferenceMode mode;
  const int64_t rows = state.range(0), in = state.range(1), out = state.range(2);
  const at::ScalarType type = dtype(state.range(3));
  const PackedLinear layer(at::randn({out, in}).to(type), at::randn({out}));
  const at::Tensor x = at::randn({rows, in}).to(type);
  for (auto _ : state) benchmark::DoNotOptimize(layer(x));
  state.SetItemsProcessed(state.iterations() * 2 * rows * in * out);
}
BENCHMARK(BM_Linear)
    ->ArgNames({"rows", "in", "out", "bits"})
    ->ArgsProduct({{1024}, {192}, {576, 1536}, {32, 16}})
    ->ArgsProduct({{1024}, {768}, {192}, {32, 16}})
    ->ArgsProduct({{256}, {320}, {2560}, {32, 16}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void BM_Attention(benchmark::State& state) {
  const c10::InferenceMode mode;
  const int64_t tokens = state.range(0), channels = state.range(1), heads = state.range(2), sets = state.range(3);
  const auto random = [&] { return at::randn({1, tokens, channels}).to(dtype(state.range(4))); };
  const at::Tensor q = random(), k = random(), v = random();
  const std::vector<KeyBlock> blocks(sets, KeyBlock{k, v, {}});
  for (auto _ : state) benchmark::DoNotOptimize(attention(q, blocks, heads));
  state.SetItemsProcessed(state.iterations() * 4 * tokens * tokens * channels * sets);
}
BENCHMARK(BM_Attention)
    ->ArgNames({"tokens", "channels", "heads", "sets", "bits"})
    ->Args({1024, 192, 6, 1, 32})
    ->Args({1024, 192, 6, 2, 32})
    ->Args({1024, 192, 6, 4, 32})
    ->Args({256, 320, 8, 2, 32})
    ->Args({1024, 192, 6, 1, 16})
    ->Args({1024, 192, 6, 2, 16})
    ->Args({256, 320, 8, 2, 16})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

/// Here items are bytes that are read and written once each.
void BM_GroupNormSilu(benchmark::State& state) {
  const c10::InferenceMode mode;
  const int64_t side = state.range(0), channels = state.range(1);
  const at::Tensor x = at::randn({1, channels, side, side}).to(dtype(state.range(2))).contiguous(kNhwc),
                   w = at::randn({channels}), b = at::randn({channels});
  for (auto _ : state) benchmark::DoNotOptimize(group_norm(x, 32, w, b, 1e-6, true));
  state.SetBytesProcessed(state.iterations() * 2 * x.numel() * x.element_size());
}
BENCHMARK(BM_GroupNormSilu)
    ->ArgNames({"side", "channels", "bits"})
    ->Args({256, 64, 32})
    ->Args({128, 128, 32})
    ->Args({64, 96, 32})
    ->Args({32, 192, 32})
    ->Args({64, 96, 16})
    ->Args({32, 192, 16})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void BM_Geglu(benchmark::State& state) {
  const c10::InferenceMode mode;
  const at::Tensor x = at::randn({1, state.range(0), 2 * state.range(1)}).to(dtype(state.range(2)));
  for (auto _ : state) benchmark::DoNotOptimize(geglu(x));
  state.SetBytesProcessed(state.iterations() * x.numel() * 3 / 2 * x.element_size());
}
BENCHMARK(BM_Geglu)
    ->ArgNames({"tokens", "channels", "bits"})
    ->Args({1024, 768, 32})
    ->Args({1024, 768, 16})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace geometry_transfer
