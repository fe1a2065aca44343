// SPDX-License-Identifier: GPL-3.0-or-later
/// Self-attention in two halves. A layer projects its input to q, k, v and adds the residual. A SelfAttentionMixer
/// decides which keys and values each query reads. So another routing needs another mixer only.
#pragma once

#include <vector>

#include "diffusion/layers.h"

namespace geometry_transfer {

/// Describes one self-attention layer of a network.
struct AttentionSite {
  int index;  ///< in the order of the forward pass, from 0
  int64_t heads;
  int64_t height, width;  ///< of the token grid; tokens N = height * width
};

/// Mixes tokens. q, k, v (B, N, C) with C = heads x head size, channels of a head adjacent; returns (B, N, C).
class SelfAttentionMixer {
 public:
  virtual ~SelfAttentionMixer() = default;
  virtual Tensor mix(const AttentionSite& site, const Tensor& q, const Tensor& k, const Tensor& v) const = 0;
};

/// Every row attends to itself.
class PlainMixer : public SelfAttentionMixer {
 public:
  Tensor mix(const AttentionSite& site, const Tensor& q, const Tensor& k, const Tensor& v) const override;
};

/// One block of keys and values that a query reads. A query may read several.
struct KeyBlock {
  Tensor k, v;  ///< (B or 1, M, C)
  Tensor bias;  ///< (M,) fp32, a log-weight that is added to the logits; may be undefined
};

/// Returns softmax(q k^T / sqrt(C / heads) + bias) v over the tokens of all blocks together. q (B, N, C) -> (B, N, C).
/// The order of the blocks does not change the result.
Tensor attention(const Tensor& q, const std::vector<KeyBlock>& blocks, int64_t heads);

/// Numbers the attention layers while a network is built.
struct SiteCounter {
  int self = 0, cross = 0;
};

class SelfAttention {
 public:
  SelfAttention(const Weights& weights, int64_t channels, int64_t heads, SiteCounter& sites);
  /// x (B, N, C) normalised tokens of a height x width grid.
  /// `add` (B, N, C): the residual, added to the result.
  Tensor operator()(const Tensor& x, int64_t height, int64_t width, const SelfAttentionMixer& mixer, const Tensor& add) const;

 private:
  int index_;
  int64_t heads_;
  Linear to_qkv_, to_out_;
};

/// Keys and values of the text condition at one layer. They do not depend on the image, so they are computed once.
struct CrossKeys {
  Tensor k, v;      ///< (B or 1, M, C)
  Tensor constant;  ///< (B or 1, 1, C): the layer's output if M == 1, as softmax over one key is 1; else undefined
};

class CrossAttention {
 public:
  CrossAttention(const Weights& weights, int64_t channels, int64_t context_channels, int64_t heads, SiteCounter& sites);
  int index() const { return index_; }
  /// context (B or 1, M, context_channels).
  CrossKeys keys(const Tensor& context) const;
  /// Returns the layer's output plus `add`. keys.constant must be undefined.
  Tensor operator()(const Tensor& x, const CrossKeys& keys, const Tensor& add) const;

 private:
  int index_;
  int64_t heads_;
  Linear to_q_, to_k_, to_v_, to_out_;
};

}  // namespace geometry_transfer
