// SPDX-License-Identifier: GPL-3.0-or-later
/// DDIM (arXiv 2010.02502) on the model's noise schedule: one time grid and one formula for both directions.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "diffusion/config.h"
#include "geometry-transfer/request.h"

namespace geometry_transfer {

/// Product of (1 - beta) up to each training timestep; size num_train_timesteps, falling from about 1 to about 0.
std::vector<double> alphas_cumprod(const SchedulerConfig& config);

/// The times that inversion walks up and generation walks down.
struct TimeGrid {
  std::vector<int> timesteps;  ///< rising
  std::vector<double> alphas;  ///< of those
  double clean_alpha = 1;      ///< of the state before the first: an encoded image has no noise
  size_t size() const { return timesteps.size(); }
  double alpha_before(size_t i) const { return i ? alphas[i - 1] : clean_alpha; }
};

/// `steps` times, evenly. leading: from 1 to a step short of `noise` (diffusers' "leading" with offset 1); trailing: up to
/// `noise`.
TimeGrid time_grid(const SchedulerConfig& config, double noise, int steps, Spacing spacing);

/// From the state at `alpha_from` to the one at `alpha_to`, along the noise eps: formula (12) of DDIM with sigma 0.
///   x0 = (z - sqrt(1 - a_from) eps) / sqrt(a_from);  z' = sqrt(a_to) x0 + sqrt(1 - a_to) eps
at::Tensor ddim_move(const at::Tensor& latents, const at::Tensor& noise, double alpha_from, double alpha_to);

/// The noise in `latents` at `alpha`, from what a model of this type said of them.
at::Tensor predicted_noise(const at::Tensor& output, const at::Tensor& latents, double alpha, PredictionType type);

}  // namespace geometry_transfer
