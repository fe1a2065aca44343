// SPDX-License-Identifier: GPL-3.0-or-later
/// Where and in which number format the model runs: decided once a load, carried by the weights.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
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
/// Device, automatic: a CUDA device where this build and machine have one. CUDA is not touched when the request says cpu.
/// Precision of the UNet, automatic: fp16 on a GPU; bf16 where this processor is faster in it than in fp32, else fp32.
/// The VAE runs in fp32, except beside a UNet in fp16 where it is known to survive that.
/// Throws Error (input) where a device or precision is asked for that this machine does not have: CUDA; on a processor fp16, or
/// bf16 without can_compute_bf16().
Compute choose_compute(const Request& request, bool vae_overflows);

/// Sets the number of threads of every later operator of this process. Debian 12's libtorch starts with one.
void apply_threads(int threads);

/// Bytes that the GPU could give now; 0 where its driver does not say.
std::uint64_t free_card_memory();

/// "fp32", "bf16", "fp16".
std::string precision_name(at::ScalarType type);

}  // namespace geometry_transfer
