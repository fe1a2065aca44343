// SPDX-License-Identifier: GPL-3.0-or-later
/// Multiply-adds of a UNet, counted from its configuration (two operations each): convolutions, linear layers and attention.
#pragma once

#include <cstdint>

#include "diffusion/config.h"

namespace geometry_transfer {

/// One row of latents h x w; `keys` token sets are read by each self-attention (1: itself). Cross-attention to one token counts
/// nothing.
inline int64_t unet_flops(const UNetConfig& c, int64_t h, int64_t w, int64_t keys) {
  const auto& ch = c.block_out_channels;
  const int levels = static_cast<int>(ch.size());
  int64_t sum = 0;
  const auto conv = [&](int64_t in, int64_t out, int64_t k, int level) {
    sum += 2 * (h >> level) * (w >> level) * in * out * k * k;
  };
  const auto resnet = [&](int64_t in, int64_t out, int level) {
    conv(in, out, 3, level);
    conv(out, out, 3, level);
    if (in != out) conv(in, out, 1, level);
  };
  const auto transformer = [&](int level) {
    const int64_t n = (h >> level) * (w >> level), d = ch[level];
    sum += 2 * 2 * n * d * d;  // proj_in, proj_out
    sum += c.transformer_layers[level] *
           (2 * n * d * d * 4 + 2 * n * d * d * 12 + 4 * n * n * d * keys);  // q k v out, ff, attention
  };
  conv(c.in_channels, ch[0], 3, 0);
  for (int l = 0; l < levels; ++l) {
    for (int i = 0; i < c.layers_per_block; ++i) {
      resnet(i ? ch[l] : ch[l ? l - 1 : 0], ch[l], l);
      if (c.cross_attention[l]) transformer(l);
    }
    if (l + 1 < levels) conv(ch[l], ch[l], 3, l + 1);
  }
  resnet(ch.back(), ch.back(), levels - 1);
  transformer(levels - 1);
  resnet(ch.back(), ch.back(), levels - 1);
  for (int l = levels - 1; l >= 0; --l) {
    for (int i = 0; i <= c.layers_per_block; ++i) {
      const int in = i ? ch[l] : ch[l + 1 < levels ? l + 1 : l], skip = i == c.layers_per_block ? ch[l ? l - 1 : 0] : ch[l];
      resnet(in + skip, ch[l], l);
      if (c.cross_attention[l]) transformer(l);
    }
    if (l) conv(ch[l], ch[l], 3, l - 1);
  }
  conv(ch[0], c.out_channels, 3, 0);
  return sum;
}

}  // namespace geometry_transfer
