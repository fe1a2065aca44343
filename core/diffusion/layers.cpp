// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/layers.h"

#include "diffusion/kernels/norm.h"
#include "diffusion/kernels/vector_math.h"
#include "diffusion/window.h"

namespace geometry_transfer {

Tensor to_tokens(const Tensor& image) {
  return image.permute({0, 2, 3, 1}).reshape({image.size(0), image.size(2) * image.size(3), image.size(1)});
}

Tensor to_image(const Tensor& tokens, int64_t height, int64_t width) {
  return tokens.reshape({tokens.size(0), height, width, tokens.size(2)}).permute({0, 3, 1, 2});
}

namespace {

/// The own kernels compute norms in fp32 for any type of activations.
Tensor norm_parameter(const Weights& weights, const char* name, int64_t channels) {
  const Tensor p = weights.tensor(name, {channels});
  return has_kernel(p) ? p.to(at::kFloat).contiguous() : p;
}

}  // namespace

Linear::Linear(const Weights& weights, int64_t in, int64_t out, bool bias)
    : Linear(weights.matrix("weight", {out, in}), bias ? weights.tensor("bias", {out}) : Tensor(), weights) {}

Linear::Linear(Tensor weight, Tensor bias, const Weights& weights) {
  const auto buffer = weights.buffer_for(weight);
  if (can_pack(weight, buffer != nullptr)) {
    packed_.emplace(weight, bias, buffer);
  } else {
    weight_ = std::move(weight);
    bias_ = std::move(bias);
  }
}

Tensor Linear::operator()(const Tensor& x, const Tensor& add) const {
  if (packed_) return (*packed_)(x, add);
  const Tensor y = at::linear(x, weight_.to(x.scalar_type()), bias_);
  return add.defined() ? y + add : y;
}

Conv2d::Conv2d(const Weights& weights, int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding)
    : stride_(stride), padding_(padding) {
  const Tensor weight = weights.matrix("weight", {out, in, kernel, kernel}), bias = weights.tensor("bias", {out});
  const auto buffer = weights.buffer_for(weight);
  bias_ = bias.contiguous();
  if (stride == 1 && padding == 1 && WinogradConv2d::takes(weight)) {
    winograd_.emplace(weight);
    wide_bias_ = bias_.to(at::kFloat);
  }
  if (can_pack(weight, buffer != nullptr))
    packed_.emplace(weight, bias, stride, padding, buffer);
  else
    weight_ = weight.contiguous(winograd_ ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast);
}

Tensor Conv2d::operator()(const Tensor& x, const Tensor& add, const Tensor& extra_bias, WindowPass* pass) const {
  if (!pass || !padding_) return convolved(x, add, extra_bias, false);
  if (!pass->records()) return convolved(pass->with_halo(x), add, extra_bias, true);
  pass->record_halo(x);
  return convolved(x, add, extra_bias, false);
}

Tensor Conv2d::convolved(const Tensor& x, const Tensor& add, const Tensor& extra_bias, bool has_halo) const {
  const int64_t halo = has_halo ? 2 : 0;
  if (winograd_ && WinogradConv2d::pays(x.size(2) - halo, x.size(3) - halo))
    return (*winograd_)(x, add, extra_bias.defined() ? wide_bias_ + extra_bias : wide_bias_, has_halo);
  if (packed_) return (*packed_)(x, add, extra_bias.defined() ? packed_->bias() + extra_bias : Tensor(), has_halo);
  const Tensor y = at::conv2d(x, weight_.to(x.scalar_type()), extra_bias.defined() ? bias_ + extra_bias : bias_, stride_,
                              has_halo ? 0 : padding_);
  return add.defined() ? y + add : y;
}

GroupNorm::GroupNorm(const Weights& weights, int64_t groups, int64_t channels, double eps, Activation activation)
    : weight_(norm_parameter(weights, "weight", channels)),
      bias_(norm_parameter(weights, "bias", channels)),
      groups_(groups),
      eps_(eps),
      activation_(activation) {}

Tensor GroupNorm::operator()(const Tensor& x, WindowPass* pass) const {
  const bool silu = activation_ == Activation::silu;
  if (pass && pass->records()) {
    std::vector<ChannelSums> found;
    const Tensor y = group_norm(x, groups_, weight_, bias_, eps_, silu, nullptr, &found);
    pass->record_sums(x, found);
    return y;
  }
  if (pass) return group_norm(x, groups_, weight_, bias_, eps_, silu, &pass->sums_beyond());
  if (has_kernel(x)) return group_norm(x, groups_, weight_, bias_, eps_, silu);
  Tensor y = at::group_norm(x, groups_, weight_, bias_, eps_);
  return silu ? at::silu_(y) : y;
}

LayerNorm::LayerNorm(const Weights& weights, int64_t channels, double eps)
    : weight_(norm_parameter(weights, "weight", channels)), bias_(norm_parameter(weights, "bias", channels)), eps_(eps) {}

Tensor LayerNorm::operator()(const Tensor& x) const {
  if (has_kernel(x)) return layer_norm(x, weight_, bias_, eps_);
  return at::layer_norm(x, {x.size(-1)}, weight_, bias_, eps_);
}

}  // namespace geometry_transfer
