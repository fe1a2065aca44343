// SPDX-License-Identifier: GPL-3.0-or-later
/// diffusers UNet2DConditionModel: predicts the noise (or velocity) of noisy latents.
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

/// A Conditioning prepared for one UNet: keys and values of every cross-attention layer, and the added embedding.
struct UNetContext {
  std::vector<CrossKeys> cross;
  Tensor added;  ///< (B or 1, time channels), or undefined
};

/// Resnets, each followed by a transformer if the level has attention, then a change of resolution if there is one.
struct UNetLevel {
  std::vector<ResnetBlock> resnets;
  std::vector<SpatialTransformer> attentions;  ///< empty, or one for each resnet; one in the middle block
  std::optional<Downsample> downsampler;
  std::optional<Upsample> upsampler;

  /// Inputs that all levels of a pass share: the time embedding through SiLU, the context, the mixer, the window.
  struct Pass {
    const Tensor& time;
    const UNetContext& context;
    const SelfAttentionMixer& mixer;
    WindowPass* window = nullptr;
  };
  /// Runs this level on the way down: x (B, C, H, W). Pushes the skip connections onto `skips`.
  Tensor down(Tensor x, const Pass& pass, std::vector<Tensor>& skips) const;
  /// Runs the middle block: two resnets around a transformer.
  Tensor middle(const Tensor& x, const Pass& pass) const;
  /// Runs this level on the way up. Pops its skip connections from `skips`.
  Tensor up(Tensor x, const Pass& pass, std::vector<Tensor>& skips) const;
};

/// Thrown by UNet::forward if its result holds NaN or infinity, because every later step would carry it on.
struct NotFinite : std::runtime_error {
  NotFinite() : std::runtime_error("not finite") {}
};

class UNet {
 public:
  UNet(const UNetConfig& config, const Weights& weights);

  UNetContext prepare(const Conditioning& conditioning) const;
  /// sample (B, in_channels, h, w) fp32 latents; returns the same shape, fp32. Sides are multiples of granularity().
  /// If the pass runs in a window, the sample holds the window only. Throws NotFinite.
  Tensor forward(const Tensor& sample, double timestep, const UNetContext& context, const SelfAttentionMixer& mixer,
                 WindowPass* pass = nullptr) const;

  const UNetConfig& config() const { return config_; }
  int self_attention_sites() const { return sites_.self; }

  // The parts of forward(), in its order. Public so that benchmarks can measure them.
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
