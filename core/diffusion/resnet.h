// SPDX-License-Identifier: GPL-3.0-or-later
/// Residual blocks and changes of resolution, shared by UNet and VAE.
#pragma once

#include <optional>

#include "diffusion/layers.h"

namespace geometry_transfer {

/// diffusers ResnetBlock2D: x + conv2(silu(norm2(conv1(silu(norm1(x))) + time))).
class ResnetBlock {
 public:
  /// `time_channels` 0: no time embedding (VAE).
  ResnetBlock(const Weights& weights, int64_t in, int64_t out, int64_t time_channels, int64_t groups, double eps);
  /// x (B, in, H, W) -> (B, out, H, W). `time` (B or 1, time_channels) is already through SiLU; undefined in the VAE.
  Tensor operator()(const Tensor& x, const Tensor& time = {}, WindowPass* pass = nullptr) const;

 private:
  GroupNorm norm1_;
  Conv2d conv1_;
  std::optional<Linear> time_emb_proj_;
  GroupNorm norm2_;
  Conv2d conv2_;
  std::optional<Conv2d> conv_shortcut_;
};

/// Nearest-neighbour doubling, then a 3x3 convolution.
class Upsample {
 public:
  Upsample(const Weights& weights, int64_t channels);
  /// Enlarges to `size`, the size of the skip connection that follows, because odd sizes do not double exactly. {}
  /// doubles.
  Tensor operator()(const Tensor& x, at::OptionalIntArrayRef size = {}, WindowPass* pass = nullptr) const;

 private:
  Conv2d conv_;
};

/// Strided 3x3 convolution.
class Downsample {
 public:
  /// `padding` 1 pads every side (UNet), 0 pads right and bottom only (VAE).
  Downsample(const Weights& weights, int64_t channels, int64_t padding);
  Tensor operator()(const Tensor& x, WindowPass* pass = nullptr) const;

 private:
  Conv2d conv_;
  int64_t padding_;
};

}  // namespace geometry_transfer
