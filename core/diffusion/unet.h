// SPDX-License-Identifier: GPL-3.0-or-later
/// diffusers UNet2DConditionModel: noise (or velocity) of noisy latents.
#pragma once

#include <optional>
#include <stdexcept>
#include <vector>

#include "diffusion/conditioning.h"
#include "diffusion/config.h"
#include "diffusion/embeddings.h"
#include "diffusion/resnet.h"
#include "diffusion/transformer.h"

namespace geometry_transfer {

/// A Conditioning as one UNet uses it, made once: keys and values of every cross-attention layer, the added embedding.
struct UNetContext {
  std::vector<CrossKeys> cross;
  Tensor added;  ///< (B or 1, time channels), or undefined
};

/// Resnets, each followed by a transformer where the level has attention, then a change of resolution where there is one.
struct UNetLevel {
  std::vector<ResnetBlock> resnets;
  std::vector<SpatialTransformer> attentions;  ///< empty, or one a resnet; in the middle one
  std::optional<Downsample> downsampler;
  std::optional<Upsample> upsampler;

  /// What all levels of a pass are given: the time embedding through SiLU, the context, who mixes self-attention, the window.
  struct Pass {
    const Tensor& time;
    const UNetContext& context;
    const SelfAttentionMixer& mixer;
    WindowPass* window = nullptr;
  };
  /// x (B, C, H, W) through this level on the way down; what the way up will want is put on top of `skips`.
  Tensor down(Tensor x, const Pass& pass, std::vector<Tensor>& skips) const;
  /// Through the middle: two resnets round a transformer.
  Tensor middle(const Tensor& x, const Pass& pass) const;
  /// Through this level on the way up; takes its skips from the top.
  Tensor up(Tensor x, const Pass& pass, std::vector<Tensor>& skips) const;
};

/// Thrown by UNet::forward when its result holds NaN or infinity: at once, since every later step would only carry it on.
struct NotFinite : std::runtime_error {
  NotFinite() : std::runtime_error("not finite") {}
};

class UNet {
 public:
  UNet(const UNetConfig& config, const Weights& weights);

  UNetContext prepare(const Conditioning& conditioning) const;
  /// sample (B, in_channels, h, w) fp32 latents; returns the same shape, fp32. Sides: multiples of granularity().
  /// With a pass that replays, the sample is the window's. Throws NotFinite.
  Tensor forward(const Tensor& sample, double timestep, const UNetContext& context, const SelfAttentionMixer& mixer,
                 WindowPass* pass = nullptr) const;

  const UNetConfig& config() const { return config_; }
  int self_attention_sites() const { return sites_.self; }

  // The parts of forward(), in its order: for what measures them one by one.
  Tensor time_embedding(double timestep, const UNetContext& context) const;
  Tensor first(const Tensor& sample, WindowPass* pass = nullptr) const;
  const std::vector<UNetLevel>& down_blocks() const { return down_blocks_; }
  const UNetLevel& mid_block() const { return *mid_block_; }
  const std::vector<UNetLevel>& up_blocks() const { return up_blocks_; }
  Tensor last(const Tensor& x, WindowPass* pass = nullptr) const;

 private:
  UNetConfig config_;
  at::ScalarType dtype_;
  at::Device device_;
  SiteCounter sites_;
  TimestepEmbedding time_embedding_;
  std::optional<TimestepEmbedding> add_embedding_;
  Conv2d conv_in_;
  std::vector<UNetLevel> down_blocks_;
  std::optional<UNetLevel> mid_block_;
  std::vector<UNetLevel> up_blocks_;
  GroupNorm conv_norm_out_;
  Conv2d conv_out_;
};

}  // namespace geometry_transfer
