// SPDX-License-Identifier: GPL-3.0-or-later
/// Attention whose memory does not grow with queries x keys: tiles of queries against tiles of keys, softmax kept running
/// (Milakov and Gimelshein 2018, arXiv 1805.02867; Dao et al. 2022, arXiv 2205.14135). Any number of key blocks is read where it
/// lies.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace geometry_transfer {

/// One set of keys and values of one row: k, v (M, C), rows of any stride, channels adjacent; bias (M) fp32 or undefined.
struct KeyTile {
  at::Tensor k, v, bias;
};

/// True for what tiled_attention takes in this build: on the processor, fp32, or bf16 where there is oneDNN.
bool can_tile(const at::Tensor& q);

/// q (N, C), rows of any stride -> out (N, C) contiguous, same type. softmax(q k^T / sqrt(C / heads) + bias) v a head, over all
/// blocks.
void tiled_attention(const at::Tensor& q, const std::vector<KeyTile>& keys, int64_t heads, at::Tensor& out);

}  // namespace geometry_transfer
