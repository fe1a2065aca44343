// SPDX-License-Identifier: GPL-3.0-or-later
/// Counts the floating-point operations of the networks by the direct formulas, from their configurations:
/// convolutions, linear layers and attention. A multiply-add counts as two.
#pragma once

#include <algorithm>
#include <cstdint>

#include "diffusion/config.h"

namespace geometry_transfer {

inline int64_t conv_flops(int64_t pixels, int64_t in, int64_t out, int64_t kernel) {
  return 2 * pixels * in * out * kernel * kernel;
}
inline int64_t resnet_flops(int64_t pixels, int64_t in, int64_t out) {
  return conv_flops(pixels, in, out, 3) + conv_flops(pixels, out, out, 3) + (in != out ? conv_flops(pixels, in, out, 1) : 0);
}

/// A UNet on one row of latents h x w whose self-attention reads itself. `words`: tokens of the context. With one token
/// cross-attention is a constant and counts nothing.
class UNetFlops {
 public:
  UNetFlops(const UNetConfig& config, int64_t h, int64_t w, int64_t words)
      : c_(config), levels_(static_cast<int>(config.block_out_channels.size())), h_(h), w_(w), words_(words) {}

  int64_t first() const { return conv_flops(pixels(0), c_.in_channels, channels(0), 3); }
  int64_t last() const { return conv_flops(pixels(0), channels(0), c_.out_channels, 3); }
  int64_t down(int level) const {
    int64_t sum = 0;
    for (int i = 0; i < c_.layers_per_block; ++i)
      sum += resnet_flops(pixels(level), i ? channels(level) : channels(level - 1), channels(level)) + attention(level);
    return level + 1 < levels_ ? sum + conv_flops(pixels(level + 1), channels(level), channels(level), 3) : sum;
  }
  int64_t middle() const {
    return 2 * resnet_flops(pixels(levels_ - 1), channels(levels_), channels(levels_)) + transformer(levels_ - 1);
  }
  /// The block on the way up at `level`. The first one is at the last level.
  int64_t up(int level) const {
    int64_t sum = 0;
    for (int i = 0; i <= c_.layers_per_block; ++i) {
      const int64_t in = channels(i ? level : level + 1), skip = channels(i == c_.layers_per_block ? level - 1 : level);
      sum += resnet_flops(pixels(level), in + skip, channels(level)) + attention(level);
    }
    return level ? sum + conv_flops(pixels(level - 1), channels(level), channels(level), 3) : sum;
  }
  int64_t all() const {
    int64_t sum = first() + middle() + last();
    for (int level = 0; level < levels_; ++level) sum += down(level) + up(level);
    return sum;
  }

 private:
  int64_t pixels(int level) const { return (h_ >> level) * (w_ >> level); }
  int64_t channels(int level) const { return c_.block_out_channels[std::clamp(level, 0, levels_ - 1)]; }
  int64_t attention(int level) const { return c_.cross_attention[level] ? transformer(level) : 0; }
  int64_t transformer(int level) const {
    const int64_t n = pixels(level), d = channels(level);
    const int64_t cross = words_ > 1 ? 2 * n * d * d * 2 + 4 * n * words_ * d : 0;
    const int64_t self = 2 * n * d * d * 4 + 4 * n * n * d, forward = 2 * n * d * d * 12;
    return 2 * n * d * d * 2 + c_.transformer_layers[level] * (self + cross + forward);  // proj_in, proj_out
  }

  const UNetConfig& c_;
  int levels_;
  int64_t h_, w_, words_;
};

/// The VAE's parts on one image whose latents are h x w.
inline int64_t vae_middle_flops(const VaeConfig& c, int64_t n) {
  const int64_t d = c.block_out_channels.back();
  return 2 * resnet_flops(n, d, d) + (c.mid_block_attention ? 2 * n * d * d * 4 + 4 * n * n * d : 0);
}
inline int64_t vae_encode_flops(const VaeConfig& c, int64_t h, int64_t w) {
  const auto& ch = c.block_out_channels;
  const int levels = static_cast<int>(ch.size());
  const auto pixels = [&](int level) { return (h * w) << (2 * (levels - 1 - level)); };
  int64_t sum = conv_flops(pixels(0), c.in_channels, ch[0], 3);
  for (int level = 0; level < levels; ++level) {
    for (int i = 0; i < c.layers_per_block; ++i)
      sum += resnet_flops(pixels(level), i || !level ? ch[level] : ch[level - 1], ch[level]);
    if (level + 1 < levels) sum += conv_flops(pixels(level + 1), ch[level], ch[level], 3);
  }
  return sum + vae_middle_flops(c, h * w) + conv_flops(h * w, ch.back(), 2 * c.latent_channels, 3);
}
inline int64_t vae_decode_flops(const VaeConfig& c, int64_t h, int64_t w) {
  const auto& ch = c.block_out_channels;
  const int levels = static_cast<int>(ch.size());
  const auto pixels = [&](int level) { return (h * w) << (2 * (levels - 1 - level)); };
  int64_t sum = conv_flops(h * w, c.latent_channels, ch.back(), 3) + vae_middle_flops(c, h * w);
  for (int level = levels - 1; level >= 0; --level) {
    for (int i = 0; i <= c.layers_per_block; ++i)
      sum += resnet_flops(pixels(level), i || level + 1 == levels ? ch[level] : ch[level + 1], ch[level]);
    if (level) sum += conv_flops(pixels(level - 1), ch[level], ch[level], 3);
  }
  return sum + conv_flops(pixels(0), ch[0], c.in_channels, 3);
}

}  // namespace geometry_transfer
