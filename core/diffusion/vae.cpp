// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/vae.h"

#include "diffusion/window.h"

namespace geometry_transfer {
namespace {

constexpr double kEps = 1e-6;  // epsilon of every norm in AutoencoderKL

ResnetBlock resnet(const Weights& weights, int64_t in, int64_t out, const VaeConfig& config) {
  return ResnetBlock(weights, in, out, 0, config.norm_num_groups, kEps);
}

std::vector<VaeLevel> encoder_levels(const Weights& weights, const VaeConfig& config) {
  const std::vector<int>& channels = config.block_out_channels;
  std::vector<VaeLevel> levels(channels.size());
  for (size_t level = 0; level < channels.size(); ++level) {
    const Weights block = weights[static_cast<int>(level)];
    for (int i = 0; i < config.layers_per_block; ++i)
      levels[level].resnets.push_back(
          resnet(block["resnets"][i], i || !level ? channels[level] : channels[level - 1], channels[level], config));
    if (level + 1 < channels.size()) levels[level].downsampler.emplace(block["downsamplers"][0], channels[level], 0);
  }
  return levels;
}

std::vector<VaeLevel> decoder_levels(const Weights& weights, const VaeConfig& config) {
  const std::vector<int> channels(config.block_out_channels.rbegin(), config.block_out_channels.rend());
  std::vector<VaeLevel> levels(channels.size());
  for (size_t level = 0; level < channels.size(); ++level) {
    const Weights block = weights[static_cast<int>(level)];
    for (int i = 0; i <= config.layers_per_block; ++i)
      levels[level].resnets.push_back(
          resnet(block["resnets"][i], i || !level ? channels[level] : channels[level - 1], channels[level], config));
    if (level + 1 < channels.size()) levels[level].upsampler.emplace(block["upsamplers"][0], channels[level]);
  }
  return levels;
}

void take(const Pause& pause) {
  if (pause) pause();
}

}  // namespace

VaeAttention::VaeAttention(const Weights& weights, int64_t channels, int64_t groups)
    : group_norm_(weights["group_norm"], groups, channels, kEps, Activation::none),
      to_q_(weights["to_q"], channels, channels),
      to_k_(weights["to_k"], channels, channels),
      to_v_(weights["to_v"], channels, channels),
      to_out_(weights["to_out"][0], channels, channels) {}

Tensor VaeAttention::operator()(const Tensor& x, WindowPass* pass) const {
  const Tensor tokens = to_tokens(group_norm_(x, pass));
  std::vector<KeyBlock> keys{{to_k_(tokens), to_v_(tokens), {}}};
  if (pass && pass->records())
    pass->record_keys(keys[0].k, keys[0].v, x.size(2), x.size(3));
  else if (pass)
    keys.push_back(pass->keys_beyond());
  const Tensor mixed = attention(to_q_(tokens), keys, 1);
  return to_image(to_out_(mixed), x.size(2), x.size(3)) + x;
}

VaeMidBlock::VaeMidBlock(const Weights& weights, const VaeConfig& config) {
  const int channels = config.block_out_channels.back();
  for (int i = 0; i < 2; ++i) resnets_.push_back(resnet(weights["resnets"][i], channels, channels, config));
  if (config.mid_block_attention) attention_.emplace(weights["attentions"][0], channels, config.norm_num_groups);
}

Tensor VaeMidBlock::operator()(const Tensor& x, WindowPass* pass) const {
  const Tensor h = resnets_[0](x, {}, pass);
  return resnets_[1](attention_ ? (*attention_)(h, pass) : h, {}, pass);
}

VaeEncoder::VaeEncoder(const Weights& weights, const VaeConfig& config)
    : conv_in_(weights["conv_in"], config.in_channels, config.block_out_channels.front(), 3, 1, 1),
      down_blocks_(encoder_levels(weights["down_blocks"], config)),
      mid_block_(weights["mid_block"], config),
      conv_norm_out_(weights["conv_norm_out"], config.norm_num_groups, config.block_out_channels.back(), kEps, Activation::silu),
      conv_out_(weights["conv_out"], config.block_out_channels.back(), config.latent_channels * 2, 3, 1, 1) {}

Tensor VaeEncoder::operator()(Tensor x, WindowPass* pass, const Pause& pause) const {
  x = conv_in_(x, {}, {}, pass);
  for (const VaeLevel& level : down_blocks_) {
    for (const ResnetBlock& resnet : level.resnets) {
      take(pause);
      x = resnet(x, {}, pass);
    }
    if (level.downsampler) x = (*level.downsampler)(x, pass);
  }
  take(pause);
  return conv_out_(conv_norm_out_(mid_block_(x, pass), pass), {}, {}, pass);
}

VaeDecoder::VaeDecoder(const Weights& weights, const VaeConfig& config)
    : conv_in_(weights["conv_in"], config.latent_channels, config.block_out_channels.back(), 3, 1, 1),
      mid_block_(weights["mid_block"], config),
      up_blocks_(decoder_levels(weights["up_blocks"], config)),
      conv_norm_out_(weights["conv_norm_out"], config.norm_num_groups, config.block_out_channels.front(), kEps, Activation::silu),
      conv_out_(weights["conv_out"], config.block_out_channels.front(), config.in_channels, 3, 1, 1) {}

Tensor VaeDecoder::operator()(Tensor x, WindowPass* pass, const Pause& pause) const {
  x = mid_block_(conv_in_(x, {}, {}, pass), pass);
  for (const VaeLevel& level : up_blocks_) {
    for (const ResnetBlock& resnet : level.resnets) {
      take(pause);
      x = resnet(x, {}, pass);
    }
    if (level.upsampler) x = (*level.upsampler)(x, {}, pass);
  }
  return conv_out_(conv_norm_out_(x, pass), {}, {}, pass);
}

Vae::Vae(const VaeConfig& config, const Weights& weights)
    : config_(config),
      dtype_(weights.dtype()),
      device_(weights.device()),
      encoder_(weights["encoder"], config),
      decoder_(weights["decoder"], config) {
  const int64_t c = config.latent_channels;
  if (config.quant_conv) quant_conv_.emplace(weights["quant_conv"], c * 2, c * 2, 1);
  if (config.post_quant_conv) post_quant_conv_.emplace(weights["post_quant_conv"], c, c, 1);
}

Posterior Vae::posterior(const Tensor& image, WindowPass* pass, const Pause& pause) const {
  Tensor moments = encoder_(image.to(device_, dtype_).contiguous(at::MemoryFormat::ChannelsLast), pass, pause);
  if (quant_conv_) moments = (*quant_conv_)(moments);
  const std::vector<Tensor> parts = moments.to(image.device(), at::kFloat).contiguous().chunk(2, 1);
  return {parts[0], parts[1].clamp(-30, 20)};
}

Tensor Vae::decode(const Tensor& latents, WindowPass* pass, const Pause& pause) const {
  Tensor z = (latents / config_.scaling_factor).to(device_, dtype_).contiguous(at::MemoryFormat::ChannelsLast);
  if (post_quant_conv_) z = (*post_quant_conv_)(z);
  return decoder_(z, pass, pause).to(latents.device(), at::kFloat).contiguous();
}

namespace {

template <class Through>
WholeAndWithin both(const Window& window, const Tensor& first, const Tensor& second, const Through& through) {
  Surroundings around;
  WindowPass records(around, window, 0);
  WholeAndWithin both{through(first, &records), {}};
  WindowPass replays(around);
  both.within = through(window.cut(second), &replays);
  return both;
}

}  // namespace

WholeAndWithin encode_both(const Vae& vae, const Window& window, const Tensor& first, const Tensor& second, const Pause& pause) {
  return both(window, first, second, [&](const Tensor& x, WindowPass* pass) { return vae.encode(x, pass, pause); });
}

WholeAndWithin decode_both(const Vae& vae, const Window& window, const Tensor& first, const Tensor& second, const Pause& pause) {
  return both(window, first, second, [&](const Tensor& x, WindowPass* pass) { return vae.decode(x, pass, pause); });
}

}  // namespace geometry_transfer
