// SPDX-License-Identifier: GPL-3.0-or-later
/// tiled_attention in fp32 without a matrix library: heads are so narrow (24 to 64 channels) that a library's products spend
/// their time on packing. Here keys and values are packed once a call; then a few rows of queries at a time meet a stretch of
/// keys, and their logits never leave the first-level cache.
#pragma once

#include "diffusion/kernels/tiled_attention.h"

namespace geometry_transfer {

/// As tiled_attention; everything fp32 on the processor.
void panel_attention(const at::Tensor& q, const std::vector<KeyTile>& keys, int64_t heads, at::Tensor& out);

}  // namespace geometry_transfer
