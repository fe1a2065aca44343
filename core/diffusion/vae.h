// SPDX-License-Identifier: GPL-3.0-or-later
/// diffusers AutoencoderKL: images to latents and back.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "diffusion/attention.h"
#include "diffusion/config.h"
#include "diffusion/resnet.h"

namespace geometry_transfer {

struct Window;  // window.h

/// Called between the blocks of a pass, because a pass takes seconds for a large picture. An exception from it cancels.
using Pause = std::function<void()>;

/// Attention with one head over all pixels of the coarsest level: x + to_out(attention(group_norm(x))).
class VaeAttention {
 public:
  VaeAttention(const Weights& weights, int64_t channels, int64_t groups);
  Tensor operator()(const Tensor& x, WindowPass* pass) const;

 private:
  GroupNorm group_norm_;
  Linear to_q_, to_k_, to_v_, to_out_;
};

class VaeMidBlock {
 public:
  VaeMidBlock(const Weights& weights, const VaeConfig& config);
  Tensor operator()(const Tensor& x, WindowPass* pass) const;

 private:
  std::vector<ResnetBlock> resnets_;
  std::optional<VaeAttention> attention_;
};

struct VaeLevel {
  std::vector<ResnetBlock> resnets;
  std::optional<Downsample> downsampler;
  std::optional<Upsample> upsampler;
};

class VaeEncoder {
 public:
  VaeEncoder(const Weights& weights, const VaeConfig& config);
  Tensor operator()(Tensor x, WindowPass* pass, const Pause& pause) const;

 private:
  Conv2d conv_in_;
  std::vector<VaeLevel> down_blocks_;
  VaeMidBlock mid_block_;
  GroupNorm conv_norm_out_;
  Conv2d conv_out_;
};

class VaeDecoder {
 public:
  VaeDecoder(const Weights& weights, const VaeConfig& config);
  Tensor operator()(Tensor x, WindowPass* pass, const Pause& pause) const;

 private:
  Conv2d conv_in_;
  VaeMidBlock mid_block_;
  std::vector<VaeLevel> up_blocks_;
  GroupNorm conv_norm_out_;
  Conv2d conv_out_;
};

/// A diagonal Gaussian over latents, unscaled. (B, latent_channels, h, w) each.
struct Posterior {
  Tensor mean, logvar;
};

class Vae {
 public:
  Vae(const VaeConfig& config, const Weights& weights);

  /// image (B, 3, H, W) fp32 in [-1,1], sides multiples of config().downscale(). logvar is clamped to [-30, 20].
  Posterior posterior(const Tensor& image, WindowPass* pass = nullptr, const Pause& pause = {}) const;
  /// Returns the posterior's mean, scaled as the UNet expects it. It is deterministic, so the inversion is, too.
  Tensor encode(const Tensor& image, WindowPass* pass = nullptr, const Pause& pause = {}) const {
    return posterior(image, pass, pause).mean * config_.scaling_factor;
  }
  /// latents as encode() gives them -> image (B, 3, H, W) fp32, about [-1,1], not clamped.
  Tensor decode(const Tensor& latents, WindowPass* pass = nullptr, const Pause& pause = {}) const;

  const VaeConfig& config() const { return config_; }

 private:
  VaeConfig config_;
  at::ScalarType dtype_;
  at::Device device_;
  VaeEncoder encoder_;
  VaeDecoder decoder_;
  std::optional<Conv2d> quant_conv_, post_quant_conv_;
};

/// Results of the VAE for two pictures that are equal outside a window. The first is computed whole. The second is
/// computed inside the window, with the recorded surroundings of the first.
struct WholeAndWithin {
  Tensor whole, within;
};
WholeAndWithin encode_both(const Vae& vae, const Window& window, const Tensor& first, const Tensor& second,
                           const Pause& pause = {});
WholeAndWithin decode_both(const Vae& vae, const Window& window, const Tensor& first, const Tensor& second,
                           const Pause& pause = {});

}  // namespace geometry_transfer
