// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/transformer.h"

#include "diffusion/kernels/elementwise.h"

namespace geometry_transfer {
namespace {

Linear projection(const Weights& weights, int64_t channels, bool linear) {
  const Tensor weight =
      linear ? weights.matrix("weight", {channels, channels}) : weights.matrix("weight", {channels, channels, 1, 1});
  return Linear(weight.reshape({channels, channels}), weights.tensor("bias", {channels}), weights);
}

}  // namespace

FeedForward::FeedForward(const Weights& weights, int64_t channels)
    : proj_(weights["net"][0]["proj"], channels, channels * 8), out_(weights["net"][2], channels * 4, channels) {}

Tensor FeedForward::operator()(const Tensor& x, const Tensor& add) const { return out_(geglu(proj_(x)), add); }

TransformerBlock::TransformerBlock(const Weights& weights, int64_t channels, int64_t context_channels, int64_t heads,
                                   SiteCounter& sites)
    : norm1_(weights["norm1"], channels),
      norm2_(weights["norm2"], channels),
      norm3_(weights["norm3"], channels),
      attn1_(weights["attn1"], channels, heads, sites),
      attn2_(weights["attn2"], channels, context_channels, heads, sites),
      ff_(weights["ff"], channels) {}

Tensor TransformerBlock::operator()(Tensor x, int64_t height, int64_t width, const std::vector<CrossKeys>& cross,
                                    const SelfAttentionMixer& mixer) const {
  const CrossKeys& keys = cross.at(attn2_.index());
  x = attn1_(norm1_(x), height, width, mixer, x);
  x = keys.constant.defined() ? x + keys.constant : attn2_(norm2_(x), keys, x);
  return ff_(norm3_(x), x);
}

void TransformerBlock::prepare(const Tensor& context, std::vector<CrossKeys>& cross) const {
  cross.at(attn2_.index()) = attn2_.keys(context);
}

SpatialTransformer::SpatialTransformer(const Weights& weights, int64_t channels, int64_t context_channels, int64_t heads,
                                       int layers, int64_t groups, bool linear_projection, SiteCounter& sites)
    : norm_(weights["norm"], groups, channels, 1e-6, Activation::none),
      proj_in_(projection(weights["proj_in"], channels, linear_projection)),
      proj_out_(projection(weights["proj_out"], channels, linear_projection)) {
  for (int i = 0; i < layers; ++i)
    blocks_.emplace_back(weights["transformer_blocks"][i], channels, context_channels, heads, sites);
}

Tensor SpatialTransformer::operator()(const Tensor& x, const std::vector<CrossKeys>& cross, const SelfAttentionMixer& mixer,
                                      WindowPass* pass) const {
  const int64_t height = x.size(2), width = x.size(3);
  Tensor tokens = proj_in_(to_tokens(norm_(x, pass)));
  for (const TransformerBlock& block : blocks_) tokens = block(tokens, height, width, cross, mixer);
  return to_image(proj_out_(tokens, to_tokens(x)), height, width);
}

void SpatialTransformer::prepare(const Tensor& context, std::vector<CrossKeys>& cross) const {
  for (const TransformerBlock& block : blocks_) block.prepare(context, cross);
}

}  // namespace geometry_transfer
