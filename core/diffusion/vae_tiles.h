// SPDX-License-Identifier: GPL-3.0-or-later
/// Runs the VAE in overlapping squares, which are blended into each other, to save memory. The result differs by a few
/// levels of 255, because norms and attention see one square only.
#pragma once

#include <cstdint>

#include "diffusion/vae.h"

namespace geometry_transfer {

/// Returns the most bytes that the VAE takes beside its weights for an image of this size. `number`: bytes of one
/// number.
std::uint64_t vae_memory(const VaeConfig& config, int64_t height, int64_t width, int number);

/// Returns the side of a square in latent pixels: 0 (one piece) if `free` bytes suffice for the whole image. Otherwise
/// the largest of 96, 64, 48, 32 that fits, or 32 if none does.
int64_t vae_tile(const VaeConfig& config, int64_t height, int64_t width, int number, std::uint64_t free);

/// Vae::encode and Vae::decode in squares of `tile` latent pixels; 0: in one piece.
Tensor encode_tiled(const Vae& vae, const Tensor& image, int64_t tile, const Pause& pause = {});
Tensor decode_tiled(const Vae& vae, const Tensor& latents, int64_t tile, const Pause& pause = {});

}  // namespace geometry_transfer
