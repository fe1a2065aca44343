// SPDX-License-Identifier: GPL-3.0-or-later
/// Attention whose memory does not grow with queries x keys. It goes through tiles of queries and keys with a running
/// softmax (Milakov and Gimelshein 2018, arXiv 1805.02867; Dao et al. 2022, arXiv 2205.14135). It reads any number of
/// key blocks without copying them.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace geometry_transfer {

/// Keys and values of one row: k, v (M, C), rows of any stride, adjacent channels; bias (M) fp32 or undefined.
struct KeyTile {
  at::Tensor k, v, bias;
};

/// True for tensors that tiled_attention takes in this build: on the processor, fp32, or bf16 with oneDNN.
bool can_tile(const at::Tensor& q);

/// out <- softmax(q k^T / sqrt(C / heads) + bias) v for each head, over all blocks. q (N, C) with rows of any stride,
/// out (N, C) contiguous, both of the same type.
void tiled_attention(const at::Tensor& q, const std::vector<KeyTile>& keys, int64_t heads, at::Tensor& out);

}  // namespace geometry_transfer
