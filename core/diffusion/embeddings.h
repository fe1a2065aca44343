// SPDX-License-Identifier: GPL-3.0-or-later
/// Embeds timesteps (and SDXL's sizes) as vectors.
#pragma once

#include "diffusion/layers.h"

namespace geometry_transfer {

/// Returns sines and cosines of `values` (n,) as (n, dim) fp32, with frequencies 10000^(-i / (dim/2 - freq_shift)).
/// Same as diffusers get_timestep_embedding.
Tensor sinusoidal_embedding(const Tensor& values, int64_t dim, bool flip_sin_to_cos, double freq_shift);

/// linear_2(SiLU(linear_1(x))).
class TimestepEmbedding {
 public:
  TimestepEmbedding(const Weights& weights, int64_t in, int64_t out);
  Tensor operator()(const Tensor& x) const;

 private:
  Linear linear_1_, linear_2_;
};

}  // namespace geometry_transfer
