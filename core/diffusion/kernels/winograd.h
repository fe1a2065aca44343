// SPDX-License-Identifier: GPL-3.0-or-later
/// 3x3 convolution with a quarter of the multiplications: tiles of 4x4 results from 6x6 inputs by Winograd's F(4x4, 3x3) (Lavin
/// and Gray 2015, arXiv 1509.09308). Tiles go through their three stages in blocks that stay in the processor's caches. fp32,
/// processor only. The same sum as the direct one up to rounding: about 1e-6 relative.
#pragma once

#include <ATen/ATen.h>

#include <memory>

namespace geometry_transfer {

class WinogradConv2d {
 public:
  /// True for an fp32 weight (out, in, 3, 3) on the processor whose channels fill the vector registers, and whose transformed
  /// form, four times its size, is small enough to be worth its memory.
  static bool takes(const at::Tensor& weight);

  /// weight (out, in, 3, 3). Stride 1, one pixel of zeros on every side. Transformed at the first call.
  explicit WinogradConv2d(const at::Tensor& weight);
  /// True where results of this size have so many tiles that reading the larger weights pays.
  static bool pays(int64_t height, int64_t width);
  /// x (B, in, H, W) channels-last -> (B, out, H, W) channels-last, plus bias (out) fp32, plus `add` of the result's shape where
  /// it is defined. `ringed`: x is (B, in, H + 2, W + 2), its border standing where the zeros would.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& add, const at::Tensor& bias, bool ringed = false) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace geometry_transfer
