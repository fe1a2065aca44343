// SPDX-License-Identifier: GPL-3.0-or-later
/// The spatial transformer (diffusers Transformer2DModel) of a UNet level.
#pragma once

#include "diffusion/attention.h"

namespace geometry_transfer {

/// Gated feed-forward: (gelu(x W_g) * x W_h) W_out, four times as wide inside.
class FeedForward {
 public:
  FeedForward(const Weights& weights, int64_t channels);
  /// x (B, N, C) -> (B, N, C), plus `add` of that shape.
  Tensor operator()(const Tensor& x, const Tensor& add) const;

 private:
  Linear proj_, out_;
};

class TransformerBlock {
 public:
  TransformerBlock(const Weights& weights, int64_t channels, int64_t context_channels, int64_t heads, SiteCounter& sites);
  /// x (B, N, C) tokens of a height x width grid.
  Tensor operator()(Tensor x, int64_t height, int64_t width, const std::vector<CrossKeys>& cross,
                    const SelfAttentionMixer& mixer) const;
  void prepare(const Tensor& context, std::vector<CrossKeys>& cross) const;

 private:
  LayerNorm norm1_, norm2_, norm3_;
  SelfAttention attn1_;
  CrossAttention attn2_;
  FeedForward ff_;
};

class SpatialTransformer {
 public:
  /// `linear_projection`: proj_in and proj_out are stored as linear layers, otherwise as 1x1 convolutions. Both compute
  /// the same.
  SpatialTransformer(const Weights& weights, int64_t channels, int64_t context_channels, int64_t heads, int layers,
                     int64_t groups, bool linear_projection, SiteCounter& sites);
  Tensor operator()(const Tensor& x, const std::vector<CrossKeys>& cross, const SelfAttentionMixer& mixer,
                    WindowPass* pass = nullptr) const;
  /// Fills the entries of `cross` for this transformer's layers.
  void prepare(const Tensor& context, std::vector<CrossKeys>& cross) const;

 private:
  GroupNorm norm_;
  Linear proj_in_;
  std::vector<TransformerBlock> blocks_;
  Linear proj_out_;
};

}  // namespace geometry_transfer
