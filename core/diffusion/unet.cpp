// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/unet.h"

#include "diffusion/kernels/elementwise.h"

namespace geometry_transfer {
namespace {

/// Builds the levels. Holds the values that they share, so a level is described by its channels only.
class LevelBuilder {
 public:
  LevelBuilder(const UNetConfig& config, SiteCounter& sites)
      : config_(config), sites_(sites), time_(config.block_out_channels[0] * 4) {}

  ResnetBlock resnet(const Weights& weights, int64_t in, int64_t out) const {
    return ResnetBlock(weights, in, out, time_, config_.norm_num_groups, config_.norm_eps);
  }

  SpatialTransformer transformer(const Weights& weights, int level) const {
    return SpatialTransformer(weights, config_.block_out_channels[level], config_.cross_attention_dim, config_.heads[level],
                              config_.transformer_layers[level], config_.norm_num_groups, config_.use_linear_projection, sites_);
  }

 private:
  const UNetConfig& config_;
  SiteCounter& sites_;
  int64_t time_;
};

int64_t time_channels(const UNetConfig& c) { return c.block_out_channels[0] * 4; }

}  // namespace

UNet::UNet(const UNetConfig& config, const Weights& weights)
    : config_(config),
      dtype_(weights.dtype()),
      device_(weights.device()),
      time_embedding_(weights["time_embedding"], config.block_out_channels[0], time_channels(config)),
      conv_in_(weights["conv_in"], config.in_channels, config.block_out_channels[0], 3, 1, 1),
      conv_norm_out_(weights["conv_norm_out"], config.norm_num_groups, config.block_out_channels[0], config.norm_eps,
                     Activation::silu),
      conv_out_(weights["conv_out"], config.block_out_channels[0], config.out_channels, 3, 1, 1) {
  const std::vector<int>& channels = config.block_out_channels;
  const int levels = static_cast<int>(channels.size());
  const LevelBuilder build(config_, sites_);
  if (config.text_time)
    add_embedding_.emplace(weights["add_embedding"], config.projection_class_embeddings_input_dim, time_channels(config));

  for (int level = 0; level < levels; ++level) {
    const Weights block = weights["down_blocks"][level];
    UNetLevel level_blocks;
    for (int i = 0; i < config.layers_per_block; ++i) {
      const int in = i ? channels[level] : channels[std::max(level - 1, 0)];
      level_blocks.resnets.push_back(build.resnet(block["resnets"][i], in, channels[level]));
      if (config.cross_attention[level]) level_blocks.attentions.push_back(build.transformer(block["attentions"][i], level));
    }
    if (level + 1 < levels) level_blocks.downsampler.emplace(block["downsamplers"][0], channels[level], 1);
    down_blocks_.push_back(std::move(level_blocks));
  }

  const Weights mid = weights["mid_block"];
  mid_block_.emplace();
  for (int i = 0; i < 2; ++i) mid_block_->resnets.push_back(build.resnet(mid["resnets"][i], channels.back(), channels.back()));
  mid_block_->attentions.push_back(build.transformer(mid["attentions"][0], levels - 1));

  // The way up mirrors the way down: block b has the level levels-1-b, and each resnet also takes the skip connection
  // of the same place.
  for (int b = 0; b < levels; ++b) {
    const Weights block = weights["up_blocks"][b];
    const int level = levels - 1 - b, finer = std::max(level - 1, 0), coarser = std::min(level + 1, levels - 1);
    UNetLevel level_blocks;
    for (int i = 0; i <= config.layers_per_block; ++i) {
      const int in = i ? channels[level] : channels[coarser];
      const int skip = i == config.layers_per_block ? channels[finer] : channels[level];
      level_blocks.resnets.push_back(build.resnet(block["resnets"][i], in + skip, channels[level]));
      if (config.cross_attention[level]) level_blocks.attentions.push_back(build.transformer(block["attentions"][i], level));
    }
    if (level) level_blocks.upsampler.emplace(block["upsamplers"][0], channels[level]);
    up_blocks_.push_back(std::move(level_blocks));
  }
}

UNetContext UNet::prepare(const Conditioning& conditioning) const {
  UNetContext result;
  result.cross.resize(sites_.cross);
  const Tensor context = conditioning.context.to(device_, dtype_);
  const auto visit = [&](const UNetLevel& level) {
    for (const SpatialTransformer& t : level.attentions) t.prepare(context, result.cross);
  };
  for (const UNetLevel& level : down_blocks_) visit(level);
  visit(*mid_block_);
  for (const UNetLevel& level : up_blocks_) visit(level);
  if (add_embedding_) {
    const Tensor ids = conditioning.time_ids;  // (B, 6)
    const Tensor sizes =
        sinusoidal_embedding(ids.flatten(), config_.addition_time_embed_dim, config_.flip_sin_to_cos, config_.freq_shift)
            .reshape({ids.size(0), -1});
    result.added = (*add_embedding_)(
        at::cat({conditioning.pooled.to(at::kFloat), sizes.to(conditioning.pooled.device())}, -1).to(device_, dtype_));
  }
  return result;
}

Tensor UNet::time_embedding(double timestep, const UNetContext& context) const {
  const Tensor t = at::full({1}, timestep, at::kFloat);
  const Tensor wave = sinusoidal_embedding(t, config_.block_out_channels[0], config_.flip_sin_to_cos, config_.freq_shift);
  Tensor time = time_embedding_(wave.to(device_, dtype_));
  if (context.added.defined()) time = time + context.added;
  return at::silu(time);  // every resnet starts with SiLU
}

Tensor UNetLevel::down(Tensor x, const Pass& pass, std::vector<Tensor>& skips) const {
  for (size_t i = 0; i < resnets.size(); ++i) {
    x = resnets[i](x, pass.time, pass.window);
    if (!attentions.empty()) x = attentions[i](x, pass.context.cross, pass.mixer, pass.window);
    skips.push_back(x);
  }
  if (downsampler) skips.push_back(x = (*downsampler)(x, pass.window));
  return x;
}

Tensor UNetLevel::middle(const Tensor& x, const Pass& pass) const {
  const Tensor mixed = attentions[0](resnets[0](x, pass.time, pass.window), pass.context.cross, pass.mixer, pass.window);
  return resnets[1](mixed, pass.time, pass.window);
}

Tensor UNetLevel::up(Tensor x, const Pass& pass, std::vector<Tensor>& skips) const {
  for (size_t i = 0; i < resnets.size(); ++i) {
    x = resnets[i](concat_channels(x, skips.back()), pass.time, pass.window);
    skips.pop_back();
    if (!attentions.empty()) x = attentions[i](x, pass.context.cross, pass.mixer, pass.window);
  }
  if (upsampler) x = (*upsampler)(x, skips.back().sizes().slice(2), pass.window);
  return x;
}

Tensor UNet::first(const Tensor& sample, WindowPass* pass) const {
  return conv_in_(sample.to(device_, dtype_).contiguous(at::MemoryFormat::ChannelsLast), {}, {}, pass);
}

Tensor UNet::last(const Tensor& x, WindowPass* pass) const { return conv_out_(conv_norm_out_(x, pass), {}, {}, pass); }

Tensor UNet::forward(const Tensor& sample, double timestep, const UNetContext& context, const SelfAttentionMixer& mixer,
                     WindowPass* pass) const {
  const Tensor time = time_embedding(timestep, context);
  const UNetLevel::Pass through{time, context, mixer, pass};
  Tensor x = first(sample, pass);
  std::vector<Tensor> skips{x};
  for (const UNetLevel& block : down_blocks_) x = block.down(x, through, skips);
  x = mid_block_->middle(x, through);
  for (const UNetLevel& block : up_blocks_) x = block.up(x, through, skips);
  const Tensor out = last(x, pass).to(sample.device(), at::kFloat).contiguous();
  if (!at::isfinite(out).all().item<bool>()) throw NotFinite();
  return out;
}

}  // namespace geometry_transfer
