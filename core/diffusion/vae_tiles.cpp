// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/vae_tiles.h"

#include <algorithm>
#include <functional>

namespace geometry_transfer {
namespace {

/// Returns the starts of evenly spaced squares that cover `length`. Neighbours overlap by at least a quarter of their
/// side.
std::vector<int64_t> starts(int64_t length, int64_t tile) {
  if (length <= tile) return {0};
  const int64_t step = tile - tile / 4, count = (length - tile + step - 1) / step + 1;
  std::vector<int64_t> offsets;
  for (int64_t i = 0; i < count; ++i) offsets.push_back(i * (length - tile) / (count - 1));
  return offsets;
}

/// Returns the blending weight of each of `size` places. It rises over the first quarter if there is a neighbour
/// before, and falls over the last quarter if there is one after.
Tensor ramp(int64_t size, bool before, bool after) {
  const Tensor rising = (at::arange(size, at::kFloat) + 0.5).div_(std::max<int64_t>(1, size / 4)).clamp_max_(1);
  Tensor weight = at::ones({size}, at::kFloat);
  if (before) weight = weight * rising;
  if (after) weight = weight * rising.flip(0);
  return weight;
}

/// Applies `run` to squares of x and blends the results. The grid of x is `in` times finer than the latents', that of
/// the result `out` times.
Tensor by_squares(const Tensor& x, int64_t tile, int64_t in, int64_t out, int64_t channels,
                  const std::function<Tensor(const Tensor&)>& run) {
  const int64_t height = x.size(2) / in, width = x.size(3) / in;
  const int64_t tall = std::min(tile, height), wide = std::min(tile, width);
  Tensor sum = at::zeros({x.size(0), channels, height * out, width * out}, at::kFloat);
  Tensor weights = at::zeros({1, 1, height * out, width * out}, at::kFloat);
  for (const int64_t top : starts(height, tile))
    for (const int64_t left : starts(width, tile)) {
      const Tensor tile_result = run(x.narrow(2, top * in, tall * in).narrow(3, left * in, wide * in));
      const Tensor weight = ramp(tall * out, top > 0, top + tall < height).unsqueeze(1) *
                            ramp(wide * out, left > 0, left + wide < width).unsqueeze(0);
      const auto place = [&](const Tensor& of) { return of.narrow(2, top * out, tall * out).narrow(3, left * out, wide * out); };
      place(sum).add_(tile_result * weight);
      place(weights).add_(weight);
    }
  return sum / weights;
}

}  // namespace

std::uint64_t vae_memory(const VaeConfig& config, int64_t height, int64_t width, int number) {
  // The last level's first block needs most: its input and normalised input with the channels of the level before, and
  // two tensors with its own channels.
  const auto& channels = config.block_out_channels;
  const int64_t wide = channels[std::min<std::size_t>(1, channels.size() - 1)], narrow = channels[0];
  return static_cast<std::uint64_t>(height * width * (2 * wide + 2 * narrow) * number);
}

int64_t vae_tile(const VaeConfig& config, int64_t height, int64_t width, int number, std::uint64_t free) {
  if (vae_memory(config, height, width, number) <= free) return 0;
  for (const int64_t tile : {96, 64, 48})
    if (const int64_t side = tile * config.downscale(); vae_memory(config, side, side, number) <= free) return tile;
  return 32;
}

Tensor encode_tiled(const Vae& vae, const Tensor& image, int64_t tile, const Pause& pause) {
  if (tile == 0) return vae.encode(image, nullptr, pause);
  return by_squares(image, tile, vae.config().downscale(), 1, vae.config().latent_channels,
                    [&](const Tensor& x) { return vae.encode(x, nullptr, pause); });
}

Tensor decode_tiled(const Vae& vae, const Tensor& latents, int64_t tile, const Pause& pause) {
  if (tile == 0) return vae.decode(latents, nullptr, pause);
  return by_squares(latents, tile, 1, vae.config().downscale(), vae.config().in_channels,
                    [&](const Tensor& z) { return vae.decode(z, nullptr, pause); });
}

}  // namespace geometry_transfer
