// SPDX-License-Identifier: GPL-3.0-or-later
/// Self-attention with a seam: where a layer is (AttentionSite), what its tokens are (q, k, v), how they mix
/// (SelfAttentionMixer). Projection, residual and output stay in the layer, so that another routing is another mixer and nothing
/// else.
#pragma once

#include <vector>

#include "diffusion/layers.h"

namespace geometry_transfer {

/// One self-attention layer of a network.
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

/// Keys and values that a query may read: one of several blocks.
struct KeyBlock {
  Tensor k, v;  ///< (B or 1, M, C)
  Tensor bias;  ///< (M,) fp32, added to the logits (a log-weight), or undefined
};

/// softmax(q k^T / sqrt(C / heads) + bias) v over the tokens of all blocks together. q (B, N, C) -> (B, N, C).
/// The order of the blocks does not change the result.
Tensor attention(const Tensor& q, const std::vector<KeyBlock>& blocks, int64_t heads);

/// Counts attention layers while a network is built, so that each knows its place.
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

/// Keys and values of the text condition at one layer; they do not depend on the image, so they are made once.
struct CrossKeys {
  Tensor k, v;      ///< (B or 1, M, C)
  Tensor constant;  ///< (B or 1, 1, C): the whole layer's output where M == 1, since softmax over one key is 1; else undefined
};

class CrossAttention {
 public:
  CrossAttention(const Weights& weights, int64_t channels, int64_t context_channels, int64_t heads, SiteCounter& sites);
  int index() const { return index_; }
  /// context (B or 1, M, context_channels).
  CrossKeys keys(const Tensor& context) const;
  /// The layer's output plus `add`; keys.constant must be undefined.
  Tensor operator()(const Tensor& x, const CrossKeys& keys, const Tensor& add) const;

 private:
  int index_;
  int64_t heads_;
  Linear to_q_, to_k_, to_v_, to_out_;
};

}  // namespace geometry_transfer
