// SPDX-License-Identifier: GPL-3.0-or-later
/// Deterministic DDIM inversion: from clean latents up to noise.
#pragma once

#include <vector>

#include "diffusion/sampling.h"

namespace geometry_transfer {

struct InversionReport {
  /// For each step: |z_k - z_(k-1)| / |z_k| of the last fixed-point iteration k; the largest of all streams.
  std::vector<double> residuals;
};

/// Inverts all streams along the grid and fills their trajectories and kept keys. Each step is implicit,
/// z_t = move(z_s, eps(z_t, t)), and is solved by fixed-point iteration that starts from z_s.
InversionReport invert(std::vector<StreamState>& streams, const TimeGrid& grid, const NoisePredictor& predictor,
                       const SamplingOptions& options);

}  // namespace geometry_transfer
