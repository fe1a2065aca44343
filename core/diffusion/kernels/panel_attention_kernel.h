// SPDX-License-Identifier: GPL-3.0-or-later
/// What panel_attention's frame asks of the code for one instruction set.
#pragma once

#include <cstdint>
#include <vector>

#include "diffusion/kernels/panel.h"
#include "diffusion/kernels/tiled_attention.h"

namespace geometry_transfer {

constexpr int64_t kAttentionQueries = 96;  ///< of one task: a multiple of the rows of a panel
constexpr int64_t kAttentionKeys = 512;    ///< of a stretch: its logits for a panel's rows stay in the first-level cache

/// A stretch of one block of keys, and where its packed form lies in each head's memory.
struct KeyStretch {
  const KeyTile* block;
  int64_t first, count;
  int64_t keys_at, values_at;  ///< in units of 32 bits
};

/// Sizes of one call.
struct HeadSize {
  int64_t head, lanes;
  int64_t padded() const { return (head + lanes - 1) / lanes * lanes; }  ///< channels of a packed head
};

/// Work for `rows` queries, at most kAttentionQueries, of one head against everything. q and out in the type of the call, rows
/// q_row and out_row elements apart.
struct HeadTask {
  HeadSize size;
  const std::vector<KeyStretch>& stretches;
  const float* packed;
  const void* q;
  int64_t q_row, rows;
  void* out;
  int64_t out_row;
};

/// What one thread works in: logits of a panel's rows and, of each query, what was mixed so far and softmax's maximum and sum.
struct AttentionScratch {
  std::vector<float> logits, mixed, maximum, total;
  explicit AttentionScratch(int64_t padded)
      : logits(kMostPanelRows * (kAttentionKeys + 32)),
        mixed(kAttentionQueries * padded),
        maximum(kAttentionQueries),
        total(kAttentionQueries) {}
};

struct AttentionKernel {
  int64_t lanes;     ///< floats of a register
  int64_t together;  ///< channels of a key, and keys of a value, that one 32-bit unit holds: 1 of fp32, 2 of bf16
  /// Writes one head of a stretch: keys as panels (head / together, 2 registers of keys), values as panels (keys / together, 1 or
  /// 2 registers of channels). Zeros fill up.
  void (*pack)(const HeadSize& size, const KeyStretch& stretch, int64_t head, float* to);
  void (*attend)(const HeadTask& task, AttentionScratch& scratch);
};

/// True where this processor multiplies pairs of bf16 (AVX512_BF16).
bool has_bf16_dots();
/// Only where has_bf16_dots(); heads of an even number of channels.
AttentionKernel bf16_attention_kernel();

}  // namespace geometry_transfer
