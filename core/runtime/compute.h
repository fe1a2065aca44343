// SPDX-License-Identifier: GPL-3.0-or-later
/// Where and in which number format the model runs: decided once a load, carried by the weights.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "geometry-transfer/request.h"

namespace geometry_transfer {

struct Compute {
  at::Device device = at::kCPU;
  at::ScalarType unet = at::kFloat;
  at::ScalarType vae = at::kFloat;
  int threads = 1;
};

/// `vae_overflows`: the checkpoint's VAE is known not to survive fp16 (force_upcast).
/// Automatic: bf16 for the UNet where this processor is faster in it than in fp32, else fp32; the VAE in fp32.
/// Throws Error (input) where a precision is asked for that this machine cannot run: fp16, or bf16 without can_compute_bf16().
Compute choose_compute(const Request& request, bool vae_overflows);

/// Whether oneDNN computes bf16 here: it needs AVX-512's byte and word instructions, with or without those made for bf16.
bool can_compute_bf16();

/// Sets the number of threads of every later operator of this process. Debian 12's libtorch starts with one.
void apply_threads(int threads);

/// "fp32", "bf16", "fp16".
std::string precision_name(at::ScalarType type);

}  // namespace geometry_transfer
