// SPDX-License-Identifier: GPL-3.0-or-later
/// Normalisations in one read for the statistics and one for the result, activation included. fp32 statistics; fp32 and bf16
/// memory.
#pragma once

#include <ATen/ATen.h>

namespace geometry_transfer {

/// x (B, C, H, W) channels-last; weight, bias (C) fp32. Each group of C / groups channels of a row to mean 0 and variance 1,
/// times weight plus bias, then SiLU if asked. Same shape and type as x.
at::Tensor group_norm(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias, double eps,
                      bool silu);

/// x (..., C) contiguous; each token over its channels.
at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps);

}  // namespace geometry_transfer
