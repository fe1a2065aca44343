// SPDX-License-Identifier: GPL-3.0-or-later
/// Layers from which the networks are built. Activations are (B, C, H, W) in channels-last memory, which are the same
/// bytes as tokens (B, H*W, C). B rows (one for each stream), C channels, N = H*W tokens. Constructors load from a
/// Weights cursor.
#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "diffusion/kernels/packed.h"
#include "diffusion/kernels/winograd.h"
#include "weights/weights.h"

namespace geometry_transfer {

using at::Tensor;

class WindowPass;  // window.h; nullptr: the whole canvas

/// (B, C, H, W) channels-last -> (B, H*W, C), no copy.
Tensor to_tokens(const Tensor& image);
/// (B, N, C) -> (B, C, H, W) channels-last, no copy.
Tensor to_image(const Tensor& tokens, int64_t height, int64_t width);

/// y = x W^T + b on the last axis.
class Linear {
 public:
  Linear(const Weights& weights, int64_t in, int64_t out, bool bias = true);
  /// Takes given tensors: weight (out, in), in 16 bits or in the cursor's type; bias (out) or undefined.
  Linear(Tensor weight, Tensor bias, const Weights& weights);
  /// x (..., in) -> (..., out). Adds `add` of that shape if it is defined.
  Tensor operator()(const Tensor& x, const Tensor& add = {}) const;

 private:
  Tensor weight_, bias_;
  std::optional<PackedLinear> packed_;  // if set, weight_ and bias_ are empty
};

class Conv2d {
 public:
  /// Square kernel, padded with `padding` pixels of zeros on every side.
  Conv2d(const Weights& weights, int64_t in, int64_t out, int64_t kernel, int64_t stride = 1, int64_t padding = 0);
  /// Adds `add` of the result's shape and `extra_bias` (out) if they are defined.
  Tensor operator()(const Tensor& x, const Tensor& add = {}, const Tensor& extra_bias = {}, WindowPass* pass = nullptr) const;

 private:
  Tensor weight_, bias_;
  int64_t stride_, padding_;
  std::optional<PackedConv2d> packed_;      // if set, weight_ is empty
  std::optional<WinogradConv2d> winograd_;  // for large images; it takes its memory at its first use
  Tensor wide_bias_;                        // fp32, for winograd_

  /// `has_halo`: x has one pixel of its surroundings on each side.
  Tensor convolved(const Tensor& x, const Tensor& add, const Tensor& extra_bias, bool has_halo) const;
};

enum class Activation { none, silu };

/// Normalises each of `groups` groups of channels over its pixels, then applies the activation.
class GroupNorm {
 public:
  GroupNorm(const Weights& weights, int64_t groups, int64_t channels, double eps, Activation activation);
  Tensor operator()(const Tensor& x, WindowPass* pass = nullptr) const;

 private:
  Tensor weight_, bias_;
  int64_t groups_;
  double eps_;
  Activation activation_;
};

/// Normalises each token over its channels.
class LayerNorm {
 public:
  LayerNorm(const Weights& weights, int64_t channels, double eps = 1e-5);
  Tensor operator()(const Tensor& x) const;

 private:
  Tensor weight_, bias_;
  double eps_;
};

}  // namespace geometry_transfer
