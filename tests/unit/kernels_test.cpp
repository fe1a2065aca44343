// SPDX-License-Identifier: GPL-3.0-or-later
/// Compares the own kernels with libtorch's operators, in both types, at sizes with remainders.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <random>

#include "diffusion/attention.h"
#include "diffusion/kernels/elementwise.h"
#include "diffusion/kernels/halo.h"
#include "diffusion/kernels/norm.h"
#include "diffusion/kernels/packed.h"
#include "diffusion/kernels/panel.h"
#include "diffusion/kernels/panel_attention.h"
#include "diffusion/kernels/winograd.h"
#include "runtime/compute.h"
#include "runtime/processor.h"

namespace geometry_transfer {
namespace {

constexpr auto kNhwc = at::MemoryFormat::ChannelsLast;

class Kernels : public testing::TestWithParam<at::ScalarType> {
 protected:
  void SetUp() override {
    if (GetParam() == at::kBFloat16 && !can_compute_bf16()) GTEST_SKIP() << "this processor has no bf16";
  }
  at::Tensor random(at::IntArrayRef shape) const { return at::randn(shape).to(GetParam()); }
  /// Checks |got - expected| / |expected|: fp32 to rounding, bf16 to its eight bits.
  void expect_same(const at::Tensor& got, const at::Tensor& expected) const {
    ASSERT_EQ(got.sizes(), expected.sizes());
    EXPECT_EQ(got.scalar_type(), GetParam());
    const at::Tensor g = got.to(at::kDouble), e = expected.to(at::kDouble);
    EXPECT_LT(((g - e).norm() / e.norm()).item<double>(), GetParam() == at::kFloat ? 3e-6 : 6e-3);
  }
};

at::Tensor f(const at::Tensor& t) { return t.defined() ? t.to(at::kFloat) : t; }

TEST_P(Kernels, Linear) {
  const at::Tensor x = random({2, 37, 48}), w = random({80, 48}), b = random({80}), add = random({2, 37, 80});
  if (!can_pack(w)) GTEST_SKIP() << "built without oneDNN";
  expect_same(PackedLinear(w, b)(x), at::linear(f(x), f(w), f(b)));
  expect_same(PackedLinear(w, {})(x), at::linear(f(x), f(w)));
  const PackedLinear layer(w, b);
  for (int again = 0; again < 2; ++again) expect_same(layer(x, add), at::linear(f(x), f(w), f(b)) + f(add));
  expect_same(layer(x.narrow(1, 0, 5)), at::linear(f(x.narrow(1, 0, 5)), f(w), f(b)));
}

TEST_P(Kernels, Convolution) {
  const at::Tensor x = random({2, 24, 19, 13}).contiguous(kNhwc), w = random({40, 24, 3, 3}), b = random({40});
  if (!can_pack(w)) GTEST_SKIP() << "built without oneDNN";
  for (const int64_t stride : {1, 2}) {
    const at::Tensor plain = at::conv2d(f(x), f(w), f(b), stride, 1), add = random(plain.sizes());
    const PackedConv2d layer(w, b, stride, 1);
    expect_same(layer(x), plain);
    expect_same(layer(x, add.contiguous(kNhwc)), plain + f(add));
    expect_same(layer(x, {}, at::ones({40})), plain - f(b).reshape({1, 40, 1, 1}) + 1);
    EXPECT_TRUE(layer(x).is_contiguous(kNhwc));
  }
  const at::Tensor w1 = random({8, 24, 1, 1});
  expect_same(PackedConv2d(w1, b.narrow(0, 0, 8), 1, 0)(x), at::conv2d(f(x), f(w1), f(b.narrow(0, 0, 8))));
}

TEST_P(Kernels, GroupNorm) {
  const at::Tensor x = (random({2, 48, 17, 11}) * 3 + 5).contiguous(kNhwc), w = at::randn({48}), b = at::randn({48});
  const at::Tensor plain = at::group_norm(f(x), 8, w, b, 1e-5);
  expect_same(group_norm(x, 8, w, b, 1e-5, false), plain);
  expect_same(group_norm(x, 8, w, b, 1e-5, true), at::silu(plain));
}

TEST_P(Kernels, LayerNorm) {
  const at::Tensor x = random({2, 33, 72}) * 2 - 1, w = at::randn({72}), b = at::randn({72});
  expect_same(layer_norm(x, w, b, 1e-5), at::layer_norm(f(x), {72}, w, b, 1e-5));
}

TEST_P(Kernels, TheSameBytesWhereverMemoryLies) {
  // Allocations of all small sizes come and go, so the kernels' buffers lie at all distances from each other. There are
  // so few channels that a buffer is shorter than a vector register, and a result can start within one of it.
  const at::Tensor x = random({1, 8, 8, 8}).contiguous(kNhwc), w = at::randn({8}), b = at::randn({8});
  const auto all = [&] {
    const at::Tensor tokens = x.permute({0, 2, 3, 1}).reshape({64, 8});
    return at::cat({group_norm(x, 4, w.clone(), b.clone(), 1e-5, true).permute({0, 2, 3, 1}).reshape({-1}),
                    layer_norm(tokens, w.clone(), b.clone(), 1e-5).reshape({-1}), geglu(tokens).reshape({-1})});
  };
  const at::Tensor first = all();
  std::mt19937 dice(1);
  std::vector<std::vector<char>> pieces(64);
  for (int i = 0; i < 3000; ++i) {
    pieces[dice() % pieces.size()] = std::vector<char>(1 + dice() % 4000);
    ASSERT_TRUE(at::equal(all(), first)) << i;
  }
}

TEST_P(Kernels, Geglu) {
  const at::Tensor x = random({3, 21, 2 * 56}) * 3;
  expect_same(geglu(x), f(x).narrow(-1, 0, 56) * at::gelu(f(x).narrow(-1, 56, 56)));
}

TEST_P(Kernels, ConcatChannels) {
  const at::Tensor a = random({2, 7, 5, 3}).contiguous(kNhwc), b = random({2, 4, 5, 3}).contiguous(kNhwc);
  EXPECT_TRUE(at::equal(concat_channels(a, b), at::cat({a, b}, 1)));
}

TEST_P(Kernels, RingOfARectangle) {
  const at::Tensor canvas = random({2, 5, 9, 7}).contiguous(kNhwc), padded = at::constant_pad_nd(canvas, {1, 1, 1, 1});
  for (const auto& [top, left, height, width] : std::vector<std::array<int64_t, 4>>{{2, 1, 3, 4}, {0, 0, 9, 7}, {5, 3, 4, 4}}) {
    const auto cut = [&, t = top, l = left](const at::Tensor& x, int64_t h, int64_t w) {
      return x.narrow(0, 1, 1).narrow(2, t, h).narrow(3, l, w);
    };
    const at::Tensor halo = cut_halo(canvas, 1, top, left, height, width);
    const at::Tensor with_halo = pad_with_halo(cut(canvas, height, width), halo);
    EXPECT_TRUE(at::equal(with_halo, cut(padded, height + 2, width + 2)));
    EXPECT_TRUE(with_halo.is_contiguous(kNhwc));
  }
  EXPECT_ANY_THROW(pad_with_halo(canvas, cut_halo(canvas, 0, 1, 1, 2, 2))) << "of another size";
}

/// Attention by its definition, in fp32.
at::Tensor softmax_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& bias,
                             int64_t heads) {
  const auto split = [&](const at::Tensor& x) { return f(x).reshape({x.size(0), x.size(1), heads, -1}).transpose(1, 2); };
  at::Tensor logits = at::matmul(split(q), split(k).transpose(-1, -2)) / std::sqrt(static_cast<double>(q.size(2) / heads));
  if (bias.defined()) logits = logits + bias;
  return at::matmul(logits.softmax(-1), split(v)).transpose(1, 2).reshape(q.sizes());
}

TEST_P(Kernels, AttentionOverSeveralBlocks) {
  // There are more tokens than one tile of queries and of keys. They are slices of a wider buffer, as the fused
  // projection gives them.
  const int64_t heads = 3, channels = 3 * 8, n = 150, m = 1100;
  const at::Tensor qkv = random({2, n, 3 * channels});
  const std::vector<at::Tensor> part = qkv.chunk(3, -1);
  const at::Tensor k2 = random({1, m, channels}), v2 = random({1, m, channels}), bias = at::randn({m});
  const at::Tensor got = attention(part[0] * 1, {{part[1], part[2], {}}, {k2, v2, bias}}, heads);
  const at::Tensor k = at::cat({part[1], k2.expand({2, -1, -1})}, 1), v = at::cat({part[2], v2.expand({2, -1, -1})}, 1);
  expect_same(got, softmax_attention(part[0], k, v, at::cat({at::zeros({n}), bias}), heads));
  expect_same(attention(part[0], {{part[1], part[2], {}}}, heads), softmax_attention(part[0], part[1], part[2], {}, heads));
  // The order of the blocks must not matter.
  expect_same(attention(part[0], {{k2, v2, bias}, {part[1], part[2], {}}}, heads), f(got));
}

TEST_P(Kernels, AttentionIsTheSameEveryTime) {
  // Several threads use one shape of tile. None may write where another works. All calls are compared, to find what a
  // thread left behind.
  for (const int64_t m : {700, 1024}) {
    const at::Tensor q = random({2, 1024, 128}), k = random({1, m, 128}), v = random({1, m, 128});
    const at::Tensor first = attention(q, {{k, v, {}}}, 4);
    expect_same(first, softmax_attention(q, k.expand({2, -1, -1}), v.expand({2, -1, -1}), {}, 4));
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(at::equal(attention(q, {{k, v, {}}}, 4), first)) << i;
  }
}

TEST_P(Kernels, AttentionToOneKeyIsItsValue) {
  const at::Tensor q = random({1, 5, 16}), k = random({1, 1, 16}), v = random({1, 1, 16});
  expect_same(attention(q, {{k, v, {}}}, 2), f(v.expand({1, 5, 16})));
}

TEST_P(Kernels, PanelAttentionOfEveryWidth) {
  // Heads of one and a half registers, an odd number of keys, a stretch that is not full, logits far apart.
  const int64_t heads = 2, channels = 2 * 24, n = 101, m = 517;
  const at::Tensor q = random({1, n, channels}) * 4, k = random({1, m, channels}), v = random({1, m, channels}),
                   bias = at::randn({m}) * 20;
  if (!can_attend_by_panels(q, heads)) GTEST_SKIP() << "this processor does not multiply pairs of bf16";
  for (const int lanes : {4, 8, 16}) {
    if (lanes > widest_lanes()) continue;
    at::Tensor out = at::empty({n, channels}, q.options());
    panel_attention(q[0], {{k[0], v[0], bias}}, heads, out, lanes);
    expect_same(out, softmax_attention(q, k, v, bias, heads)[0]);
  }
}

TEST(PanelAttention, IsRefusedWhereNoKernelIs) {
  EXPECT_FALSE(can_attend_by_panels(at::zeros({3, 10}).to(at::kHalf), 2));
  EXPECT_FALSE(can_attend_by_panels(at::zeros({3, 10}).to(at::kBFloat16), 2)) << "heads of an odd number of channels";
  EXPECT_TRUE(can_attend_by_panels(at::zeros({3, 10}), 2));
}

TEST_P(Kernels, WinogradIsTheDirectConvolution) {
  // Tiles that extend over two edges, a single tile, blocks with remaining rows, and channels for each width of
  // register.
  for (const auto& [in, out, height, width] :
       std::vector<std::array<int64_t, 4>>{{16, 32, 19, 13}, {8, 16, 4, 4}, {24, 48, 64, 32}, {96, 32, 3, 9}}) {
    const at::Tensor x = random({2, in, height, width}).contiguous(kNhwc), w = random({out, in, 3, 3}), b = at::randn({out});
    if (!WinogradConv2d::takes(w)) {
      EXPECT_EQ(GetParam(), at::kBFloat16);
      continue;
    }
    const at::Tensor plain = at::conv2d(x.to(at::kDouble), w.to(at::kDouble), b.to(at::kDouble), 1, 1),
                     add = random(plain.sizes());
    for (const int lanes : {0, 4, 8, 16}) {
      if (lanes > widest_lanes() || (GetParam() == at::kBFloat16 && lanes && lanes < 16)) continue;
      const WinogradConv2d layer(w, lanes);
      expect_same(layer(x, {}, b), plain);
      expect_same(layer(x, add, b), plain + add);
      EXPECT_TRUE(layer(x, {}, b).is_contiguous(kNhwc));
    }
  }
}

TEST(Winograd, TakesWhatItIsGoodFor) {
  EXPECT_TRUE(WinogradConv2d::takes(at::zeros({16, 8, 3, 3})));
  EXPECT_FALSE(WinogradConv2d::takes(at::zeros({16, 3, 3, 3}))) << "too few channels";
  EXPECT_FALSE(WinogradConv2d::takes(at::zeros({16, 16, 1, 1})));
  EXPECT_FALSE(WinogradConv2d::takes(at::zeros({16, 16, 3, 3}).to(at::kHalf)));
  EXPECT_FALSE(WinogradConv2d::takes(at::zeros({16, 16, 3, 3}).to(at::kBFloat16))) << "half a panel of the widest registers";
  EXPECT_EQ(WinogradConv2d::takes(at::zeros({32, 16, 3, 3}).to(at::kBFloat16)), winograd_for_bf16());
  EXPECT_FALSE(WinogradConv2d::takes(at::empty({640, 640, 3, 3}))) << "four times its weights are too much";
}

INSTANTIATE_TEST_SUITE_P(Types, Kernels, testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& type) { return type.param == at::kFloat ? "fp32" : "bf16"; });

}  // namespace
}  // namespace geometry_transfer
