// SPDX-License-Identifier: GPL-3.0-or-later
/// DDIM (arXiv 2010.02502) on the model's noise schedule: one time grid and one formula for both directions.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "diffusion/config.h"
#include "geometry-transfer/request.h"

namespace geometry_transfer {

/// Returns the product of (1 - beta) up to each training timestep. Size num_train_timesteps, falling from about 1 to
/// about 0.
std::vector<double> alphas_cumprod(const SchedulerConfig& config);

/// The times of the noise schedule at which inversion and generation stop. Inversion goes up, generation down.
struct TimeGrid {
  std::vector<int> timesteps;  ///< rising
  std::vector<double> alphas;  ///< alphas_cumprod at the timesteps
  double clean_alpha = 1;      ///< alpha of the clean state before the first time; an encoded image has no noise
  size_t size() const { return timesteps.size(); }
  double alpha_before(size_t i) const { return i ? alphas[i - 1] : clean_alpha; }
};

/// Returns `steps` evenly spaced times. leading: from 1 to one step below `noise` (diffusers' "leading" with offset 1).
/// trailing: up to `noise`.
TimeGrid time_grid(const SchedulerConfig& config, double noise, int steps, Spacing spacing);

/// Moves latents from `alpha_from` to `alpha_to` along the noise eps: formula (12) of DDIM with sigma 0.
///   x0 = (z - sqrt(1 - a_from) eps) / sqrt(a_from);  z' = sqrt(a_to) x0 + sqrt(1 - a_to) eps
at::Tensor ddim_move(const at::Tensor& latents, const at::Tensor& noise, double alpha_from, double alpha_to);

/// Converts a model's output of this prediction type to the noise in `latents` at `alpha`.
at::Tensor predicted_noise(const at::Tensor& output, const at::Tensor& latents, double alpha, PredictionType type);

}  // namespace geometry_transfer
