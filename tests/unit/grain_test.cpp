// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/grain.h"

#include <gtest/gtest.h>

#include "scene_on_mats.h"

namespace geometry_transfer {
namespace {

cv::Mat noise(cv::Size size, double sigma, int seed) {
  cv::Mat m(size, CV_32FC1);
  cv::RNG(seed).fill(m, cv::RNG::NORMAL, 0, sigma);
  return m;
}

cv::Mat all_but(const cv::Mat& geometry) { return geometry == 0; }

double power(const cv::Mat& m, const cv::Mat& where) { return cv::mean(m.mul(m), where)[0]; }

TEST(Grain, ZeroRemovesNothingAndNoBareMaterialNeither) {
  const cv::Mat m = noise({120, 90}, 0.1, 1);
  EXPECT_EQ(test::largest_difference(without_grain(m, cv::Mat(m.size(), CV_8UC1, cv::Scalar(255)), 60, 0), m), 0);
  EXPECT_LT(test::largest_difference(without_grain(m, cv::Mat::zeros(m.size(), CV_8UC1), 60, 1), m), 1e-5);
}

TEST(Grain, BareGrainGoes) {
  const cv::Mat m = noise({256, 256}, 0.1, 2), inside = test::disc(m.size(), {128, 128}, 60) > 0;
  const cv::Mat left = without_grain(m, ~inside, 120, 1);
  EXPECT_LT(power(left, inside), 0.15 * power(m, inside));
  EXPECT_LT(power(without_grain(m, ~inside, 120, 3), inside), power(left, inside));
}

/// A line no stronger than the grain, judged by each pixel alone, in any direction.
TEST(Grain, ALineSurvives) {
  for (const double angle : {0.0, 27.0, 45.0, 63.0, 90.0, 120.0, 153.0}) {
    cv::Mat line = cv::Mat::zeros(256, 256, CV_32FC1);
    const cv::Point2d d(50 * std::cos(angle * CV_PI / 180), 50 * std::sin(angle * CV_PI / 180)), c(128, 128);
    cv::line(line, c - d, c + d, -0.2, 2, cv::LINE_AA);
    const cv::Mat m = line + noise(line.size(), 0.1, 3), inside = test::disc(m.size(), c, 60) > 0;
    const cv::Mat left = without_grain(m, ~inside, 120, 1);
    const double before = cv::mean(m, line < -0.15)[0], after = cv::mean(left, line < -0.15)[0];
    EXPECT_LT(after, 0.7 * before) << angle;  // at least 70 % of its depth
  }
}

/// Stripes far beside the selection, much stronger than a line in it, do not pass for the grain there.
TEST(Grain, ALineSurvivesStripesElsewhere) {
  cv::Mat m = noise({256, 256}, 0.02, 5), line = cv::Mat::zeros(m.size(), CV_32FC1);
  const cv::Point2d c(128, 90);
  cv::line(line, c - cv::Point2d(40, 10), c + cv::Point2d(40, 10), -0.15, 2, cv::LINE_AA);
  for (int y = 200; y < 256; ++y)
    for (int x = 0; x < 256; ++x) m.at<float>(y, x) += (x + y) / 6 % 2 ? 0.25f : -0.25f;
  m += line;
  const cv::Mat left = without_grain(m, all_but(test::disc(m.size(), c, 55)), 110, 1);
  EXPECT_LT(cv::mean(left, line < -0.12)[0], 0.6 * cv::mean(m, line < -0.12)[0]);
}

/// A joint in the bare material, much stronger than anything else, does not raise what passes for its grain.
TEST(Grain, AJointBesideTheSelectionHidesNothing) {
  cv::Mat rough = noise({256, 256}, 0.06, 6);
  const cv::Mat inside = test::disc(rough.size(), {128, 110}, 50) > 0;
  cv::Mat plain = noise(rough.size(), 0.02, 7);
  rough.copyTo(plain, inside);
  cv::Mat joint = plain.clone();
  cv::line(joint, {0, 220}, {255, 220}, -0.6, 3);
  const double without = power(without_grain(plain, ~inside, 100, 1), inside);
  EXPECT_GT(without, 0.3 * power(plain, inside));
  EXPECT_GT(power(without_grain(joint, ~inside, 100, 1), inside), 0.9 * without);
}

/// Where the selection is full of what the bare material has not, less of it is taken for grain.
TEST(Grain, AFullSelectionIsJudgedGently) {
  const cv::Mat all = noise({256, 256}, 0.02, 8), inside = test::disc(all.size(), {128, 128}, 60) > 0;
  cv::Mat blob = cv::Mat::zeros(all.size(), CV_32FC1), full = blob.clone();
  cv::circle(blob, {128, 128}, 3, 0.04, cv::FILLED);
  for (int y = 76; y < 180; y += 12)
    for (int x = 76; x < 180; x += 12) cv::circle(full, {x + 4, y + 4}, 3, y == 124 && x == 124 ? 0.04 : 0.2, cv::FILLED);
  const auto kept = [&](const cv::Mat& geometry) {
    return cv::mean(without_grain(all + geometry, ~inside, 120, 1) - without_grain(all, ~inside, 120, 1), blob > 0)[0];
  };
  EXPECT_GT(kept(full), 0.85 * 0.04);  // 0.79 without
  EXPECT_LT(kept(blob), 0.8 * 0.04);
}

TEST(Grain, WhatIsWiderThanTheBandsIsKept) {
  cv::Mat bump(256, 256, CV_32FC1);
  for (int y = 0; y < 256; ++y)
    for (int x = 0; x < 256; ++x)
      bump.at<float>(y, x) = float(0.05 * std::exp(-(std::pow(x - 128, 2) + std::pow(y - 128, 2)) / 1200.0));
  const cv::Mat bare = all_but(test::disc(bump.size(), {128, 128}, 60));
  cv::Mat left = without_grain(bump + noise(bump.size(), 0.05, 4), bare, 120, 1);
  cv::GaussianBlur(left, left, {}, 4);
  EXPECT_NEAR(left.at<float>(128, 128), 0.05, 0.01);
}

/// A highlight is no line: the mean along the best line through it must not stand for it.
TEST(Grain, AHighlightKeepsItsHeight) {
  cv::Mat spot(256, 256, CV_32FC1);
  for (int y = 0; y < 256; ++y)
    for (int x = 0; x < 256; ++x)
      spot.at<float>(y, x) = float(0.4 * std::exp(-(std::pow(x - 128, 2) + std::pow(y - 128, 2)) / 18.0));
  const cv::Mat bare = all_but(test::disc(spot.size(), {128, 128}, 60)), grain = noise(spot.size(), 0.03, 6);
  EXPECT_GT(without_grain(spot + grain, bare, 120, 1).at<float>(128, 128) - grain.at<float>(128, 128), 0.9 * 0.4);
}

TEST(Grain, DepthIsRestoredWhereItIsShallow) {
  const cv::Mat base(1, 4, CV_32FC1, cv::Scalar(0.6));
  const cv::Mat ratio = (cv::Mat_<float>(1, 4) << 0.9f, 0.1f, 0, 1.1f);
  const auto after = [&](double grain) {
    cv::Mat geometry = (ratio - 1).mul(base);
    restore_depth(geometry, base, grain);
    return cv::Mat(1 + geometry / base);
  };
  EXPECT_LT(test::largest_difference(after(0), ratio), 1e-6);
  for (const double grain : {0.5, 1.0, 2.0}) {
    const float share = float(std::min(grain, 1.0));
    EXPECT_NEAR(after(grain).at<float>(0), 0.9 - 0.1 * share * 0.2 * 0.81, 1e-6);
    EXPECT_NEAR(after(grain).at<float>(1), 0.1 - 0.9 * share * 0.2 * 0.01, 1e-6);
    EXPECT_NEAR(after(grain).at<float>(2), 0, 1e-6);  // black is black
    EXPECT_NEAR(after(grain).at<float>(3), 1.1 - 0.1 * share * 0.15, 1e-6);
  }
}

}  // namespace
}  // namespace geometry_transfer
