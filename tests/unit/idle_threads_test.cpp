// SPDX-License-Identifier: GPL-3.0-or-later
#include "request/idle_threads.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>

namespace geometry_transfer {
namespace {

TEST(IdleThreads, SleepWhereOthersWantTheCores) {
  EXPECT_STREQ(idle_threads(0, 2).variable, "GOMP_SPINCOUNT");
  EXPECT_STREQ(idle_threads(0.9, 2).variable, "GOMP_SPINCOUNT");
  EXPECT_STREQ(idle_threads(1.5, 2).variable, "OMP_WAIT_POLICY");
  EXPECT_STREQ(idle_threads(1.5, 2).value, "passive");
  EXPECT_STREQ(idle_threads(1.5, 16).variable, "GOMP_SPINCOUNT");
}

TEST(IdleThreads, TheUsersChoiceStays) {
  unsetenv("OMP_WAIT_POLICY");
  setenv("GOMP_SPINCOUNT", "7", 1);
  set_idle_threads();
  EXPECT_EQ(getenv("OMP_WAIT_POLICY"), nullptr);
  EXPECT_STREQ(getenv("GOMP_SPINCOUNT"), "7");
  unsetenv("GOMP_SPINCOUNT");
  set_idle_threads();
  EXPECT_NE(getenv("OMP_WAIT_POLICY") != nullptr, getenv("GOMP_SPINCOUNT") != nullptr);
}

}  // namespace
}  // namespace geometry_transfer
