// SPDX-License-Identifier: GPL-3.0-or-later
/// The interface between panel_attention and its code for one instruction set.
#pragma once

#include <cstdint>
#include <vector>

#include "diffusion/kernels/panel.h"
#include "diffusion/kernels/tiled_attention.h"

namespace geometry_transfer {

constexpr int64_t kAttentionQueries = 96;  ///< of one task; a multiple of a panel's rows
constexpr int64_t kAttentionKeys = 512;    ///< of one stretch; its logits for a panel's rows fit the first-level cache

/// A stretch of one block of keys, and the place of its packed form in each head's memory.
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

/// `rows` queries of one head, at most kAttentionQueries, to be computed against all keys. q and out have the type of
/// the call. Their rows are q_row and out_row elements apart.
struct HeadTask {
  HeadSize size;
  const std::vector<KeyStretch>& stretches;
  const float* packed;
  const void* q;
  int64_t q_row, rows;
  void* out;
  int64_t out_row;
};

/// Scratch memory of one thread: the logits of a panel's rows, and for each query the weighted sum so far and softmax's
/// maximum and sum.
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
  int64_t together;  ///< channels of a key, and keys of a value, in one 32-bit unit: 1 for fp32, 2 for bf16
  /// Writes one head of a stretch, padded with zeros. Keys become panels (head / together, 2 registers of keys). Values
  /// become panels (keys / together, 1 or 2 registers of channels).
  void (*pack)(const HeadSize& size, const KeyStretch& stretch, int64_t head, float* to);
  void (*attend)(const HeadTask& task, AttentionScratch& scratch);
};

/// True if this processor multiplies pairs of bf16 (AVX512_BF16).
bool has_bf16_dots();
/// Requires has_bf16_dots() and heads with an even number of channels.
AttentionKernel bf16_attention_kernel();

}  // namespace geometry_transfer
