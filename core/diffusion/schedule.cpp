// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/schedule.h"

#include <algorithm>
#include <cmath>

namespace geometry_transfer {
namespace {

constexpr double kPi = 3.14159265358979323846;

std::vector<double> betas(const SchedulerConfig& c) {
  const int n = c.num_train_timesteps;
  std::vector<double> b(n);
  const auto line = [n](double first, double last, int i) { return first + (last - first) * i / (n - 1); };
  for (int i = 0; i < n; ++i) {
    if (c.beta_schedule == "scaled_linear") {
      b[i] = std::pow(line(std::sqrt(c.beta_start), std::sqrt(c.beta_end), i), 2);
    } else if (c.beta_schedule == "linear") {
      b[i] = line(c.beta_start, c.beta_end, i);
    } else {  // squaredcos_cap_v2: Nichol and Dhariwal 2021, eq. 17
      const auto bar = [](double t) { return std::pow(std::cos((t + 0.008) / 1.008 * kPi / 2), 2); };
      b[i] = std::min(1 - bar((i + 1.0) / n) / bar(static_cast<double>(i) / n), 0.999);
    }
  }
  return b;
}

}  // namespace

std::vector<double> alphas_cumprod(const SchedulerConfig& config) {
  std::vector<double> a = betas(config);
  double product = 1;
  for (double& v : a) v = product *= 1 - v;
  if (config.rescale_betas_zero_snr) {  // arXiv 2305.08891, algorithm 1: the last step has no signal, the first is unchanged
    const double first = std::sqrt(a.front()), last = std::sqrt(a.back());
    for (double& v : a) v = std::pow((std::sqrt(v) - last) * first / (first - last), 2);
    a.back() = std::max(a.back(), std::pow(2.0, -24));  // not exactly 0, as in diffusers
  }
  return a;
}

TimeGrid time_grid(const SchedulerConfig& config, double noise, int steps, Spacing spacing) {
  const std::vector<double> all = alphas_cumprod(config);
  const int last = config.num_train_timesteps - 1;
  TimeGrid grid;
  for (int i = 0; i < steps; ++i) {
    const int t = std::min(static_cast<int>(spacing == Spacing::leading ? std::nearbyint(i * noise / steps) + 1
                                                                        : std::nearbyint((i + 1) * noise / steps)),
                           last);
    if (!grid.timesteps.empty() && t <= grid.timesteps.back()) continue;  // more steps than training times
    grid.timesteps.push_back(t);
    grid.alphas.push_back(all[t]);
  }
  return grid;
}

at::Tensor ddim_move(const at::Tensor& latents, const at::Tensor& noise, double alpha_from, double alpha_to) {
  // One multiply-add for each term: z' = sqrt(a_to/a_from) z + (sqrt(1-a_to) - sqrt(a_to (1-a_from) / a_from)) eps
  const double keep = std::sqrt(alpha_to / alpha_from);
  return latents * keep + noise * (std::sqrt(1 - alpha_to) - keep * std::sqrt(1 - alpha_from));
}

at::Tensor predicted_noise(const at::Tensor& output, const at::Tensor& latents, double alpha, PredictionType type) {
  if (type == PredictionType::epsilon) return output;
  return output * std::sqrt(alpha) + latents * std::sqrt(1 - alpha);
}

}  // namespace geometry_transfer
