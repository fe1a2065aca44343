// SPDX-License-Identifier: GPL-3.0-or-later
/// Normalisations in one read for the statistics and one for the result, activation included. fp32 statistics; fp32 and bf16
/// memory.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace geometry_transfer {

/// Sums and squared sums over the pixels of one picture, a channel each.
struct ChannelSums {
  std::vector<double> sum, square;
  int64_t pixels = 0;
};

/// x (B, C, H, W) -> those of each row.
std::vector<ChannelSums> channel_sums(const at::Tensor& x);

/// x (B, C, H, W) channels-last; weight, bias (C) fp32. Each group of C / groups channels of a row to mean 0 and variance 1,
/// times weight plus bias, then SiLU if asked. Same shape and type as x. `found`, where it is given, becomes the sums of each
/// row; `beyond` are sums of pixels that belong to each row's picture but are not in x.
at::Tensor group_norm(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias, double eps,
                      bool silu, const ChannelSums* beyond = nullptr, std::vector<ChannelSums>* found = nullptr);

/// x (..., C) contiguous; each token over its channels.
at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps);

}  // namespace geometry_transfer
