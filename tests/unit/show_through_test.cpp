// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "image/split_light.h"

namespace geometry_transfer {
namespace {

/// Two drops that brighten a base of 0.3 to 0.5: one of 40 pixels with a dark rim and a glint, one of 8.
struct Drops {
  Drops() {
    relief.base = cv::Mat(200, 200, CV_32FC1, cv::Scalar(0.3));
    relief.luma = relief.base.clone();
    draw(relief.luma, big, 40, 0.15);
    draw(relief.luma, big, 38, 0.5);
    draw(relief.luma, glint, 1, 0.9);
    draw(relief.luma, small, 8, 0.5);
    draw(support, big, 42, 1);
    draw(support, small, 10, 1);
  }
  static void draw(cv::Mat& on, cv::Point at, int radius, double value) { cv::circle(on, at, radius, value, cv::FILLED); }
  double at(cv::Point p) const { return relief.luma.at<float>(p); }
  const cv::Point big{60, 100}, glint{60, 80}, small{150, 100}, rim{99, 100}, beside{180, 30};
  Relief relief;
  cv::Mat support = cv::Mat::zeros(200, 200, CV_32FC1);
};

TEST(ShowThrough, TakesTheBrighteningAndLeavesRimAndGlint) {
  Drops drops;
  let_through(drops.relief, drops.support, 1);
  EXPECT_NEAR(drops.at(drops.big), 0.3, 0.01);
  EXPECT_NEAR(drops.at(drops.big + cv::Point(25, 0)), 0.3, 0.01);
  EXPECT_GT(drops.at(drops.glint), 0.3 * 1.7);
  EXPECT_LT(drops.at(drops.rim), 0.3 * 0.6);
}

TEST(ShowThrough, IsAShare) {
  for (const double share : {0.0, 0.5}) {
    Drops drops;
    let_through(drops.relief, drops.support, share);
    EXPECT_NEAR(drops.at(drops.big), 0.3 + (1 - share) * 0.2, 0.01);
  }
}

TEST(ShowThrough, EachPieceIsSeenAlone) {
  Drops drops;
  let_through(drops.relief, drops.support, 1);
  // By the size of the whole selection the small drop would be a glint.
  EXPECT_NEAR(drops.at(drops.small), 0.3, 0.02);
}

TEST(ShowThrough, NothingChangesBeyondTheGeometry) {
  Drops drops;
  drops.relief.luma.at<float>(drops.beside) = 0.77f;
  const cv::Mat before = drops.relief.luma.clone();
  let_through(drops.relief, drops.support, 1);
  EXPECT_EQ(cv::norm(drops.relief.luma, before, cv::NORM_INF, drops.support <= 0), 0);
  let_through(drops.relief, cv::Mat::zeros(200, 200, CV_32FC1), 1);  // nothing selected
}

TEST(ShowThrough, OnePixelAndRingsInRings) {
  Drops one, rings;
  one.support = cv::Mat::zeros(200, 200, CV_32FC1);
  one.support.at<float>(one.big) = 1;
  let_through(one.relief, one.support, 1);
  EXPECT_GE(one.at(one.big), 0.3 - 1e-6);
  EXPECT_LE(one.at(one.big), 0.5);
  for (int radius = 6; radius < 98; radius += 6) cv::circle(rings.support, {100, 100}, radius, 1, 2);
  let_through(rings.relief, rings.support, 1);
  EXPECT_EQ(cv::countNonZero(rings.relief.luma != rings.relief.luma), 0) << "not a number";
}

/// More pieces than are worked on one by one.
TEST(ShowThrough, ScrapsAreOneThing) {
  Drops drops;
  for (int y = 0; y < 200; y += 10)
    for (int x = 0; x < 40; x += 10) drops.support.at<float>(y, x) = 1;
  let_through(drops.relief, drops.support, 1);
  EXPECT_NEAR(drops.at(drops.big), 0.3, 0.01);
  for (int y = 0; y < 200; ++y)
    for (int x = 0; x < 200; ++x) ASSERT_GE(drops.relief.luma.at<float>(y, x), 0);
}

}  // namespace
}  // namespace geometry_transfer
