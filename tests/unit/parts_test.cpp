// SPDX-License-Identifier: GPL-3.0-or-later
/// Checks the message of a program if the diffusion part is not installed. This program has no run path, so it finds
/// only what LD_LIBRARY_PATH leads to.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "geometry-transfer/error.h"
#include "geometry-transfer/parts.h"
#include "geometry-transfer/transfer.h"
#include "request/library.h"

namespace geometry_transfer {
namespace {

namespace fs = std::filesystem;

TEST(Parts, ATransferWithAModelNamesThePackage) {
  ASSERT_NE(missing_diffusion_part(), "");
  for (const char* model : {"", "/nowhere/model"}) {
    Request request;
    request.correction = 1;
    request.model = model;
    Report report;
    try {
      Session().run({}, request, nullptr, report);
      FAIL() << "it ran";
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), Error::Kind::system);
      EXPECT_NE(std::string(e.what()).find("install the package geometry-transfer-diffusion"), std::string::npos) << e.what();
      EXPECT_NE(std::string(e.what()).find("Instant"), std::string::npos) << e.what();
    }
  }
}

/// Run again by the next test, with another LD_LIBRARY_PATH.
TEST(Parts, DISABLED_IsFound) { EXPECT_EQ(missing_diffusion_part(), ""); }

TEST(Parts, AreFoundWhereTheLoaderLooks) {
  char name[] = "/tmp/gt-parts-XXXXXX";
  const fs::path folder = mkdtemp(name);
  const std::string again = "LD_LIBRARY_PATH=" + folder.string() + " '" + fs::read_symlink("/proc/self/exe").string() +
                            "' --gtest_also_run_disabled_tests --gtest_filter=*IsFound > /dev/null";
  EXPECT_NE(std::system(again.c_str()), 0) << "the folder is empty";
  std::ofstream(folder / kDiffusionLibrary) << "never opened";
  EXPECT_EQ(std::system(again.c_str()), 0);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace geometry_transfer
