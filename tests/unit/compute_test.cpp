// SPDX-License-Identifier: GPL-3.0-or-later
/// The number format follows the processor. A format that it cannot compute is never chosen, and is refused if it is
/// asked for.
#include "runtime/compute.h"
#include "runtime/processor.h"

#include <gtest/gtest.h>

#include "geometry-transfer/error.h"

namespace geometry_transfer {
namespace {

Request with(Precision precision) {
  Request request;
  request.device = Device::cpu;
  request.precision = precision;
  return request;
}

TEST(Compute, AutomaticChoosesWhatTheProcessorHas) {
  const Compute chosen = choose_compute(with(Precision::automatic), false);
  EXPECT_TRUE(chosen.unet == at::kFloat || can_compute_bf16());
  EXPECT_EQ(chosen.vae, at::kFloat);
  EXPECT_GE(chosen.threads, 1);
}

TEST(Compute, Bf16RunsOrIsRefused) {
  if (can_compute_bf16())
    EXPECT_EQ(choose_compute(with(Precision::bf16), false).unet, at::kBFloat16);
  else
    EXPECT_THROW(choose_compute(with(Precision::bf16), false), Error);
}

TEST(Compute, HalfPrecisionIsRefusedOnAProcessor) { EXPECT_THROW(choose_compute(with(Precision::fp16), false), Error); }

TEST(Compute, TheDeviceIsTheOneAskedForOrRefused) {
  Request request;
  request.device = Device::cpu;
  EXPECT_TRUE(choose_compute(request, false).device.is_cpu());
  request.device = Device::cuda;
  if (!at::hasCUDA()) {
    EXPECT_THROW(choose_compute(request, false), Error);
    EXPECT_EQ(free_card_memory(), 0u);
    request.device = Device::automatic;
    EXPECT_TRUE(choose_compute(request, false).device.is_cpu());
    return;
  }
  const Compute gentle = choose_compute(request, false), careful = choose_compute(request, true);
  EXPECT_TRUE(gentle.device.is_cuda());
  EXPECT_EQ(gentle.unet, at::kHalf);
  EXPECT_EQ(gentle.vae, at::kHalf);
  EXPECT_EQ(careful.vae, at::kFloat) << "this VAE overflows";
  EXPECT_GT(free_card_memory(), 0u);
}

}  // namespace
}  // namespace geometry_transfer
