// SPDX-License-Identifier: GPL-3.0-or-later
/// The VAE in overlapping squares that are blended into each other: for little memory. Not the same numbers as in one piece,
/// since its norms and its attention then see one square each: a few levels of 255 off.
#pragma once

#include <cstdint>

#include "diffusion/vae.h"

namespace geometry_transfer {

/// Bytes that the VAE takes at most beside its weights for an image of this size: `number` bytes a number.
std::uint64_t vae_memory(const VaeConfig& config, int64_t height, int64_t width, int number);

/// Side of a square in latent pixels: 0 (one piece) where `free` bytes are enough for the whole image, else the largest of 96,
/// 64, 48, 32 that they are enough for; 32 where none is.
int64_t vae_tile(const VaeConfig& config, int64_t height, int64_t width, int number, std::uint64_t free);

/// Vae::encode and Vae::decode by squares of `tile` latent pixels; 0: in one piece.
Tensor encode_tiled(const Vae& vae, const Tensor& image, int64_t tile, const Pause& pause = {});
Tensor decode_tiled(const Vae& vae, const Tensor& latents, int64_t tile, const Pause& pause = {});

}  // namespace geometry_transfer
