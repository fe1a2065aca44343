// SPDX-License-Identifier: GPL-3.0-or-later
/// DDIM generation: from noise down to the clean latents of the result.
#pragma once

#include <functional>
#include <vector>

#include "diffusion/sampling.h"

namespace geometry_transfer {

struct GenerationOptions {
  std::vector<StreamRead> reads;  ///< the streams that the output reads; kOutput is itself
  Tensor mask;                    ///< (1, 1, h, w) latent mask in [0, 1]: 1 where the output is free
  int restored_stream = -1;       ///< the stream whose trajectory is put back outside the mask; below 0: none
  double restore = 1;             ///< share that is put back at each step
  Window window =
      {};  ///< not empty: the output is computed in it alone and equals the restored stream outside; restore must be 1
};

/// Walks from `noisy` at the grid's last time to clean latents. `after_step` (may be empty) gets the latents after each step.
Tensor generate(const Tensor& noisy, const std::vector<StreamState>& streams, const TimeGrid& grid,
                const NoisePredictor& predictor, const SamplingOptions& sampling, const GenerationOptions& options,
                const std::function<void(const Tensor&)>& after_step = {});

}  // namespace geometry_transfer
