// SPDX-License-Identifier: GPL-3.0-or-later
/// Operations between the matrix products.
#pragma once

#include <ATen/ATen.h>

namespace geometry_transfer {

/// x (..., 2 C) contiguous -> (..., C): the first half times gelu(second half), with the exact (erf) GELU.
at::Tensor geglu(const at::Tensor& x);

/// (B, C1, H, W) and (B, C2, H, W) channels-last -> (B, C1 + C2, H, W) channels-last.
at::Tensor concat_channels(const at::Tensor& a, const at::Tensor& b);

}  // namespace geometry_transfer
