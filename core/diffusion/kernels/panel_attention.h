// SPDX-License-Identifier: GPL-3.0-or-later
/// tiled_attention without a matrix library. Heads have only 24 to 64 channels, so a library's products spend their
/// time on packing. Here keys and values are packed once for each call. Then a few rows of queries at a time are
/// multiplied with a stretch of keys. Their logits stay in the first-level cache.
#pragma once

#include "diffusion/kernels/tiled_attention.h"

namespace geometry_transfer {

/// True on the processor for fp32, and for bf16 if the processor multiplies pairs of it.
bool can_attend_by_panels(const at::Tensor& q, int64_t heads);

/// Same as tiled_attention, if can_attend_by_panels(). `lanes`: floats of a register of fp32 (4, 8, 16, not more than
/// this processor has); 0: the widest.
void panel_attention(const at::Tensor& q, const std::vector<KeyTile>& keys, int64_t heads, at::Tensor& out, int lanes = 0);

}  // namespace geometry_transfer
