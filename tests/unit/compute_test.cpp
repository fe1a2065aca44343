// SPDX-License-Identifier: GPL-3.0-or-later
/// The number format follows the processor: what it cannot compute is never chosen, and refused when asked for.
#include "runtime/compute.h"

#include <gtest/gtest.h>

#include "geometry-transfer/error.h"

namespace geometry_transfer {
namespace {

Request with(Precision precision) {
  Request request;
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

}  // namespace
}  // namespace geometry_transfer
