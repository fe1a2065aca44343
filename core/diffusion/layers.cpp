// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/layers.h"

namespace geometry_transfer {

Tensor to_tokens(const Tensor& image) {
  return image.permute({0, 2, 3, 1}).reshape({image.size(0), image.size(2) * image.size(3), image.size(1)});
}

Tensor to_image(const Tensor& tokens, int64_t height, int64_t width) {
  return tokens.reshape({tokens.size(0), height, width, tokens.size(2)}).permute({0, 3, 1, 2});
}

Linear::Linear(const Weights& weights, int64_t in, int64_t out, bool bias)
    : Linear(weights.tensor("weight", {out, in}), bias ? weights.tensor("bias", {out}) : Tensor()) {}

Linear::Linear(Tensor weight, Tensor bias) : weight_(std::move(weight)), bias_(std::move(bias)) {}

Tensor Linear::operator()(const Tensor& x) const { return at::linear(x, weight_, bias_); }

Conv2d::Conv2d(const Weights& weights, int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding)
    : weight_(weights.tensor("weight", {out, in, kernel, kernel}).contiguous(at::MemoryFormat::ChannelsLast)),
      bias_(weights.tensor("bias", {out})),
      stride_(stride),
      padding_(padding) {}

Tensor Conv2d::operator()(const Tensor& x) const { return at::conv2d(x, weight_, bias_, stride_, padding_); }

GroupNorm::GroupNorm(const Weights& weights, int64_t groups, int64_t channels, double eps, Activation activation)
    : weight_(weights.tensor("weight", {channels})),
      bias_(weights.tensor("bias", {channels})),
      groups_(groups),
      eps_(eps),
      activation_(activation) {}

Tensor GroupNorm::operator()(const Tensor& x) const {
  Tensor y = at::group_norm(x, groups_, weight_, bias_, eps_);
  return activation_ == Activation::silu ? at::silu_(y) : y;
}

LayerNorm::LayerNorm(const Weights& weights, int64_t channels, double eps)
    : weight_(weights.tensor("weight", {channels})), bias_(weights.tensor("bias", {channels})), eps_(eps) {}

Tensor LayerNorm::operator()(const Tensor& x) const { return at::layer_norm(x, {x.size(-1)}, weight_, bias_, eps_); }

}  // namespace geometry_transfer
