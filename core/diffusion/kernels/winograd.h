// SPDX-License-Identifier: GPL-3.0-or-later
/// 3x3 convolution with a quarter of the multiplications. Winograd's F(4x4, 3x3) computes tiles of 4x4 results from 6x6
/// inputs (Lavin and Gray 2015, arXiv 1509.09308). Tiles go through three stages in blocks that stay in the caches.
/// Processor only. It computes in fp32 and differs from the direct sum by rounding, about 1e-6 relative. Activations
/// may be bf16; they are rounded once, when they are written.
#pragma once

#include <ATen/ATen.h>

#include <memory>

namespace geometry_transfer {

class WinogradConv2d {
 public:
  /// Returns true for an fp32 weight (out, in, 3, 3) on the processor whose channels fill the vector registers. Its
  /// transformed form, four times its size, must not be too large. True for such a weight in bf16 if
  /// winograd_for_bf16().
  static bool takes(const at::Tensor& weight);

  /// weight (out, in, 3, 3). Stride 1, one pixel of zeros on every side. Transforms the weight at the first call.
  /// `lanes`: floats of a register (4, 8, 16, not more than this processor has; bf16 takes 16 only); 0: the best.
  explicit WinogradConv2d(const at::Tensor& weight, int lanes = 0);
  /// True if a result of this size has so many tiles that reading the larger weights pays.
  static bool pays(int64_t height, int64_t width);
  /// x (B, in, H, W) channels-last, in the weight's type -> (B, out, H, W) channels-last. Adds bias (out) fp32, and
  /// `add` of the result's shape if it is defined. `has_halo`: x is (B, in, H + 2, W + 2) and its border replaces the
  /// zeros.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& add, const at::Tensor& bias, bool has_halo = false) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace geometry_transfer
