// SPDX-License-Identifier: GPL-3.0-or-later
/// Normalisations that read their input once for the statistics and once for the result, activation included.
/// Statistics are fp32, tensors fp32 or bf16.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace geometry_transfer {

/// Sums and squared sums of each channel over the pixels of one picture.
struct ChannelSums {
  std::vector<double> sum, square;
  int64_t pixels = 0;
};

/// Returns the sums of each row of x (B, C, H, W).
std::vector<ChannelSums> channel_sums(const at::Tensor& x);

/// Normalises each group of C / groups channels of a row to mean 0 and variance 1. Multiplies by weight and adds bias.
/// `silu`: applies SiLU to the sum. x (B, C, H, W) channels-last; weight, bias (C) fp32. Returns the shape and type of
/// x.
/// `found`, if given, receives the sums of each row. `beyond` holds the sums of pixels that belong to each row's
/// picture but are not in x.
at::Tensor group_norm(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias, double eps,
                      bool silu, const ChannelSums* beyond = nullptr, std::vector<ChannelSums>* found = nullptr);

/// Normalises each token over its channels. x (..., C) contiguous.
at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps);

}  // namespace geometry_transfer
