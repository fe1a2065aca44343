// SPDX-License-Identifier: GPL-3.0-or-later
/// Chooses the device and the number format of a model. This happens once when it is loaded; the weights carry the
/// choice.
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

/// Chooses device, number formats and threads.
///   device, automatic            CUDA if this build and machine have it. With cpu, CUDA is not touched.
///   precision, automatic         of the UNet: fp16 on a GPU; on a processor bf16 if it is faster than fp32, else fp32
///   VAE                          fp32; fp16 beside a UNet in fp16, unless `vae_overflows`
/// `vae_overflows`: the checkpoint's VAE overflows in fp16 (force_upcast).
/// Throws Error (input) if this machine lacks what is asked for: CUDA; on a processor fp16, or bf16 without
/// can_compute_bf16().
Compute choose_compute(const Request& request, bool vae_overflows);

/// Sets the number of threads for all later operators of this process. Debian 12's libtorch starts with one.
void apply_threads(int threads);

/// Returns the free bytes of the GPU; 0 if its driver does not say.
std::uint64_t free_card_memory();

/// Returns "fp32", "bf16" or "fp16".
std::string precision_name(at::ScalarType type);

}  // namespace geometry_transfer
