// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/embeddings.h"

#include <cmath>

namespace geometry_transfer {

Tensor sinusoidal_embedding(const Tensor& values, int64_t dim, bool flip_sin_to_cos, double freq_shift) {
  const int64_t half = dim / 2;
  const Tensor exponent = at::arange(half, at::kFloat) * (-std::log(10000.0) / (half - freq_shift));
  const Tensor angle = values.to(at::kFloat).unsqueeze(1) * exponent.exp().unsqueeze(0);
  return flip_sin_to_cos ? at::cat({angle.cos(), angle.sin()}, 1) : at::cat({angle.sin(), angle.cos()}, 1);
}

TimestepEmbedding::TimestepEmbedding(const Weights& weights, int64_t in, int64_t out)
    : linear_1_(weights["linear_1"], in, out), linear_2_(weights["linear_2"], out, out) {}

Tensor TimestepEmbedding::operator()(const Tensor& x) const { return linear_2_(at::silu(linear_1_(x))); }

}  // namespace geometry_transfer
