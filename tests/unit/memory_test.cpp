// SPDX-License-Identifier: GPL-3.0-or-later
/// Requests are compared with the free memory before any of it is taken.
#include "request/memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <vector>

#include "../tools/families.h"
#include "address_limit.h"
#include "geometry-transfer/error.h"
#include "runtime/processor.h"
#include "weights/model_memory.h"

namespace geometry_transfer {
namespace {

using test::Addresses;
using test::kShadowed;

TEST(Memory, FreeIsWhatTheMachineAndTheLimitsLeave) {
  const std::uint64_t free = free_memory();
  EXPECT_GT(free, std::uint64_t{16} << 20);
  EXPECT_LT(free, std::uint64_t{1} << 50);
  EXPECT_GT(peak_memory(), std::uint64_t{1} << 20);
  if (kShadowed) GTEST_SKIP();
  const Addresses limit(200 << 20);
  EXPECT_NEAR(static_cast<double>(free_memory()), 200 << 20, 2 << 20);
}

TEST(Memory, WhatIsFreedIsKeptForWhatComesNext) {
  if (kShadowed) GTEST_SKIP();
  keep_freed_memory();
  const auto faults = [](std::size_t megabytes) {
    const auto now = [] {
      rusage usage{};
      getrusage(RUSAGE_SELF, &usage);
      return usage.ru_minflt;
    };
    const long before = now();
    const std::vector<char> made(megabytes << 20, 1);
    return now() - before;
  };
  const Addresses limit(400 << 20);
  faults(64);
  EXPECT_LT(faults(64), 100) << "the pages of the one before";
  const auto pages = [] {
    long number = 0;
    std::ifstream("/proc/self/statm") >> number;
    return number;
  };
  const long held = pages();
  faults(160);
  EXPECT_EQ(pages(), held) << "large pieces are not kept";
  EXPECT_NEAR(static_cast<double>(free_memory()), 400 << 20, 4 << 20) << "kept memory counts as free";
}

TEST(Memory, GigabytesOfASentence) {
  EXPECT_EQ(gigabytes(6'100'000'000), "6.1");
  EXPECT_EQ(gigabytes(0), "0.0");
}

TEST(Memory, AModelIsItsWeightsAndItsFeatures) {
  // Parameters as the models' authors publish them: UNet 860 and 2567 million, VAE 84 million. Winograd adds copies of
  // those 3x3 convolutions that are small enough: 0.103 GB for the UNet (7 of 320 to 320) and 0.116 GB for the VAE. A
  // UNet in 16 bits has them only if they pay.
  EXPECT_NEAR(static_cast<double>(model_memory(test::sd15(), 4)) / 1e9, 4 * (0.860 + 0.084) + 0.2 + 0.103 + 0.116, 0.05);
  EXPECT_NEAR(static_cast<double>(model_memory(test::sd15(), 2)) / 1e9,
              2 * 0.860 + 4 * 0.084 + 0.2 + 0.116 + (winograd_for_bf16() ? 0.103 : 0), 0.02);
  EXPECT_NEAR(static_cast<double>(model_memory(test::sdxl(), 4)) / 1e9, 4 * (2.567 + 0.084) + 0.2 + 0.103 + 0.116, 0.2);
}

TEST(Memory, AModelThatDoesNotFitIsRefusedInASentence) {
  if (kShadowed) GTEST_SKIP();
  const Addresses limit(300 << 20);
  try {
    require_model_memory(test::sd15(), 4);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), Error::Kind::system);
    for (const char* word : {"GB", "4.2", "0.3", "Instant"})
      EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace geometry_transfer
