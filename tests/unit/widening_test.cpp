// SPDX-License-Identifier: GPL-3.0-or-later
/// Layers with weights in 16 bits give the same bits as the same layers in fp32.
#include "diffusion/kernels/widening.h"

#include <gtest/gtest.h>

#include "diffusion/kernels/packed.h"

namespace geometry_transfer {
namespace {

/// Returns every number that 16 bits can hold.
at::Tensor all_numbers(at::ScalarType type) {
  at::Tensor bits = at::empty({1 << 16}, type);
  auto* data = static_cast<std::uint16_t*>(bits.data_ptr());
  for (int i = 0; i < 1 << 16; ++i) data[i] = static_cast<std::uint16_t>(i);
  return bits;
}

class Widening : public testing::TestWithParam<at::ScalarType> {};

TEST_P(Widening, EveryNumberThereAndBack) {
  const at::Tensor narrow = all_numbers(GetParam()), expected = narrow.to(at::kFloat);
  WideningBuffer buffer;
  const at::Tensor wide = buffer.widen(narrow);
  const at::Tensor nan = expected.isnan();
  EXPECT_TRUE(at::equal(wide.isnan(), nan));
  EXPECT_TRUE(at::equal(wide.masked_fill(nan, 1), expected.masked_fill(nan, 1)));
  EXPECT_TRUE(at::equal(wide.signbit(), expected.signbit()));
  const at::Tensor back = narrowed(wide, GetParam());
  EXPECT_EQ(std::memcmp(back.data_ptr(), narrow.data_ptr(), narrow.nbytes()), 0);
}

TEST_P(Widening, LayersGiveTheSameBits) {
  const at::Tensor w = at::randn({80, 24, 3, 3}).to(GetParam()), b = at::randn({80}), x = at::randn({2, 24, 19, 13});
  if (!can_pack(w, true)) GTEST_SKIP() << "built without oneDNN";
  const auto buffer = std::make_shared<WideningBuffer>();
  const PackedConv2d narrow(w, b, 1, 1, buffer), wide(w.to(at::kFloat), b, 1, 1);
  const at::Tensor small = at::randn({1, 24, 5, 5});
  // Runs twice, because the second time uses the packed weights. Another shape may need another order of the weights.
  for (const at::Tensor& image : {x, x, small, x}) EXPECT_TRUE(at::equal(narrow(image), wide(image)));
  const at::Tensor matrix = w.reshape({80, -1}), rows = at::randn({3, 7, 24 * 9});
  const PackedLinear narrow_linear(matrix, b, buffer), wide_linear(matrix.to(at::kFloat), b);
  for (const at::Tensor& batch : {rows, rows, rows.narrow(1, 0, 1)})
    EXPECT_TRUE(at::equal(narrow_linear(batch), wide_linear(batch)));
}

INSTANTIATE_TEST_SUITE_P(Types, Widening, testing::Values(at::kHalf, at::kBFloat16),
                         [](const auto& type) { return type.param == at::kHalf ? "fp16" : "bf16"; });

}  // namespace
}  // namespace geometry_transfer
