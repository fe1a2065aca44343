// SPDX-License-Identifier: GPL-3.0-or-later
/// Reads the noise schedule of a scheduler's configuration.
/// Keys and defaults: https://github.com/huggingface/diffusers, src/diffusers/schedulers/scheduling_ddim.py. The
/// published sampler of a model does not matter. The noise schedule belongs to the model, and DDIM runs on it.
#include <set>

#include "diffusion/config_fields.h"

namespace geometry_transfer {
namespace {

/// True if this sampler's configuration describes the schedule with DDIM's keys.
bool has_ddim_schedule(const std::string& sampler) {
  static const std::set<std::string> same_schedule = {"DDIMScheduler",
                                                      "DDIMInverseScheduler",
                                                      "DDPMScheduler",
                                                      "PNDMScheduler",
                                                      "LMSDiscreteScheduler",
                                                      "EulerDiscreteScheduler",
                                                      "EulerAncestralDiscreteScheduler",
                                                      "HeunDiscreteScheduler",
                                                      "KDPM2DiscreteScheduler",
                                                      "KDPM2AncestralDiscreteScheduler",
                                                      "DEISMultistepScheduler",
                                                      "DPMSolverMultistepScheduler",
                                                      "DPMSolverSinglestepScheduler",
                                                      "DPMSolverSDEScheduler",
                                                      "UniPCMultistepScheduler",
                                                      "SASolverScheduler",
                                                      "LCMScheduler",
                                                      "TCDScheduler"};
  return same_schedule.count(sampler) != 0;
}

/// Refuses keys that change the schedule or the latents, and skips those that only another sampler uses.
void refuse_other_schedules(ConfigFields& f, bool ddim) {
  f.fixed("trained_betas", {});
  f.fixed("thresholding", {false});                                        // only for models of pixels
  if (f.boolean("clip_sample", ddim)) f.wrong("clip_sample", Json(true));  // only for models of pixels; DDIM's default is true
  f.fixed("use_flow_sigmas", {false});
  // Ignored: how another sampler places and combines its steps, and limits that act only together with the keys above.
  f.ignore({"algorithm_type",
            "beta_max",
            "clip_sample_range",
            "corrector_order",
            "disable_corrector",
            "dynamic_thresholding_ratio",
            "euler_at_final",
            "final_sigmas_type",
            "flow_shift",
            "interpolation_type",
            "lambda_min_clipped",
            "lower_order_final",
            "noise_sampler_seed",
            "original_inference_steps",
            "predict_x0",
            "predictor_order",
            "sample_max_value",
            "sigma_max",
            "sigma_min",
            "skip_prk_steps",
            "solver_order",
            "solver_p",
            "solver_type",
            "tau_func",
            "timestep_scaling",
            "timestep_spacing",
            "timestep_type",
            "use_beta_sigmas",
            "use_exponential_sigmas",
            "use_karras_sigmas",
            "use_lu_lambdas",
            "variance_type",
            "time_shift_type",
            "use_dynamic_shifting"});
}

}  // namespace

SchedulerConfig read_scheduler_config(const std::string& path) {
  ConfigFields f(path);
  SchedulerConfig c;
  const std::string kind = f.text("_class_name", "DDIMScheduler");
  if (!has_ddim_schedule(kind)) f.wrong("_class_name");
  const bool ddim = kind == "DDIMScheduler";
  c.num_train_timesteps = f.integer("num_train_timesteps", 1000, 2, 100000);
  c.beta_start = f.number("beta_start", 0.0001, 0, 1);
  c.beta_end = f.number("beta_end", 0.02, 0, 0.999999);
  if (c.beta_start > c.beta_end) f.wrong("beta_start");
  c.beta_schedule = f.text("beta_schedule", "linear");
  if (c.beta_schedule != "linear" && c.beta_schedule != "scaled_linear" && c.beta_schedule != "squaredcos_cap_v2")
    f.wrong("beta_schedule");
  c.rescale_betas_zero_snr = f.boolean("rescale_betas_zero_snr", false);
  // Samplers without these keys use the same grid as Stable Diffusion's DDIM: offset 1, ending at the first alpha.
  c.set_alpha_to_one = f.boolean("set_alpha_to_one", ddim);
  c.steps_offset = f.integer("steps_offset", ddim ? 0 : 1, 0, 1);
  const std::string prediction = f.text("prediction_type", "epsilon");
  if (prediction != "epsilon" && prediction != "v_prediction") f.wrong("prediction_type");
  c.prediction_type = prediction == "epsilon" ? PredictionType::epsilon : PredictionType::v_prediction;
  refuse_other_schedules(f, ddim);
  f.finish();
  return c;
}

}  // namespace geometry_transfer
