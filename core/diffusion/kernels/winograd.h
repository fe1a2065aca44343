// SPDX-License-Identifier: GPL-3.0-or-later
/// 3x3 convolution with a quarter of the multiplications: tiles of 4x4 results from 6x6 inputs by Winograd's F(4x4, 3x3) (Lavin
/// and Gray 2015, arXiv 1509.09308). Tiles go through their three stages in blocks that stay in the processor's caches. Processor
/// only; computes in fp32, where the same sum comes out as the direct one's up to rounding, about 1e-6 relative. Activations may
/// lie in bf16: then they are rounded once, on their way back to memory.
#pragma once

#include <ATen/ATen.h>

#include <memory>

namespace geometry_transfer {

class WinogradConv2d {
 public:
  /// True for an fp32 weight (out, in, 3, 3) on the processor whose channels fill the vector registers, and whose transformed
  /// form, four times its size, is small enough to be worth its memory; for one in bf16 where winograd_for_bf16().
  static bool takes(const at::Tensor& weight);

  /// weight (out, in, 3, 3). Stride 1, one pixel of zeros on every side. Transformed at the first call.
  /// `lanes`: floats of a register (4, 8, 16: no more than this processor has; bf16 takes 16 only); 0: the best.
  explicit WinogradConv2d(const at::Tensor& weight, int lanes = 0);
  /// True where results of this size have so many tiles that reading the larger weights pays.
  static bool pays(int64_t height, int64_t width);
  /// x (B, in, H, W) channels-last, in the weight's type -> (B, out, H, W) channels-last, plus bias (out) fp32, plus `add` of the
  /// result's shape where it is defined. `ringed`: x is (B, in, H + 2, W + 2), its border standing where the zeros would.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& add, const at::Tensor& bias, bool ringed = false) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace geometry_transfer
