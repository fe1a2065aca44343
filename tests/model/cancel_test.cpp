// SPDX-License-Identifier: GPL-3.0-or-later
/// A transfer with a model is cancelled at each of its questions in turn. It must end there, and the next one must have
/// the same bytes.
#include <gtest/gtest.h>

#include <map>

#include "../unit/scene_on_mats.h"
#include "geometry-transfer/error.h"

namespace geometry_transfer {
namespace {

class Cancel : public ::testing::Test {
 protected:
  Cancel() {
    request_.model = std::string(std::getenv("SOURCE")) + "/tests/golden/sd15";  // the smallest
    request_.threads = 1;
    request_.precision = Precision::fp32;
    request_.correction = 1;
  }
  /// Answers no to question `last`, counted from 0; below 0: to none.
  std::vector<float> run(int last) {
    asked_ = 0;
    Report report;
    const auto progress = [&](const Progress& now) {
      ++questions_[now.stage];
      return asked_++ != last;
    };
    return session_.run(dent_.scene, request_, progress, report).rgba;
  }
  void stop_everywhere() {
    const std::vector<float> expected = run(-1);
    questions_.clear();
    ASSERT_EQ(run(-1), expected);  // with the loaded model
    const int all = asked_;
    // There is one question for each block of a pass. This tiny VAE has two blocks on each way.
    EXPECT_GE(questions_[Stage::encode], 5);
    EXPECT_GE(questions_[Stage::decode], 5);
    for (int last = 0; last < all; ++last) {
      EXPECT_THROW(run(last), Cancelled) << "question " << last << " of " << all;
      EXPECT_EQ(asked_, last + 1) << "nothing more is done, nor asked, after a no";
    }
    EXPECT_EQ(run(-1), expected);
  }

  test::Dent dent_{{96, 80}, {48, 40}, 16};
  Request request_;
  Session session_;
  std::map<Stage, int> questions_;
  int asked_ = 0;
};

TEST_F(Cancel, InAWindow) { stop_everywhere(); }

TEST_F(Cancel, OfTheWholePicture) {
  request_.window = false;
  request_.give_back = GiveBack::half;
  stop_everywhere();
}

}  // namespace
}  // namespace geometry_transfer
