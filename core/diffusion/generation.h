// SPDX-License-Identifier: GPL-3.0-or-later
/// DDIM generation: from noise down to the clean latents of the result.
#pragma once

#include <functional>
#include <vector>

#include "diffusion/sampling.h"

namespace geometry_transfer {

struct GenerationOptions {
  std::vector<StreamRead> reads;  ///< the streams that the output reads; kOutput is the output itself
  Tensor mask;                    ///< (1, 1, h, w) latent mask in [0, 1]: 1 where the output is free
  int restored_stream = -1;       ///< the stream whose trajectory is restored outside the mask; below 0: none
  double restore = 1;             ///< share of it that is restored at each step
  Window window =
      {};  ///< not empty: only this window is computed, outside it the output equals the restored stream; restore must be 1
};

/// Goes from `noisy` at the grid's last time to clean latents. Calls `after_step` (may be empty) with the latents after
/// each step.
Tensor generate(const Tensor& noisy, const std::vector<StreamState>& streams, const TimeGrid& grid,
                const NoisePredictor& predictor, const SamplingOptions& sampling, const GenerationOptions& options,
                const std::function<void(const Tensor&)>& after_step = {});

}  // namespace geometry_transfer
