// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/own_material.h"

#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

namespace geometry_transfer {
namespace {

const cv::Scalar kPaint(0.2, 0.35, 0.15), kPlaster(0.5, 0.48, 0.45);

/// Paint with a disc of plaster of this radius laid bare, smoothly bordered, with grain; the selection is a disc of 40 pixels.
struct Chip {
  explicit Chip(double radius, double grain = 0.02) : rgb(120, 120, CV_32FC3, kPaint) {
    cv::circle(selection, {60, 60}, 40, 1, cv::FILLED);
    cv::Mat noise(rgb.size(), CV_32FC1), plaster(rgb.size(), CV_32FC3, kPlaster), three;
    cv::circle(truth, {60, 60}, cvRound(radius), 1, cv::FILLED);
    cv::GaussianBlur(truth, truth, {}, 1);
    cv::merge(std::vector<cv::Mat>(3, truth), three);
    rgb = rgb.mul(cv::Scalar::all(1) - three) + plaster.mul(three);
    cv::RNG random(7);
    random.fill(noise, cv::RNG::NORMAL, 1, grain / 0.3);
    cv::merge(std::vector<cv::Mat>(3, noise), three);
    rgb = rgb.mul(three);
  }
  OwnMaterial found(const cv::Mat& known = {}) const { return own_material(rgb, selection, selection, known); }
  cv::Mat share(const cv::Mat& known = {}) const { return found(known).share; }
  cv::Mat rgb, selection = cv::Mat::zeros(120, 120, CV_32FC1), truth = cv::Mat::zeros(120, 120, CV_32FC1);
};

TEST(OwnMaterial, IsWhatTheSelectionsBorderDoesNotShow) {
  for (const double radius : {6.0, 15.0, 33.0}) {  // a small part of the selection, and most of it
    const Chip chip(radius);
    const cv::Mat share = chip.share(), wrong = cv::abs(share - chip.truth).mul(chip.selection);
    EXPECT_LT(cv::sum(wrong)[0], 0.2 * cv::sum(chip.truth)[0]) << radius;
    EXPECT_GT(share.at<float>(60, 60), 0.95f);
    EXPECT_EQ(cv::countNonZero(share.mul(1 - chip.selection)), 0);
  }
}

TEST(OwnMaterial, MixedPixelsAreShared) {
  const Chip chip(15, 0);
  const cv::Mat share = chip.share();
  for (int x = 60; x < 90; ++x)
    EXPECT_NEAR(share.at<float>(60, x), std::clamp(2 * chip.truth.at<float>(60, x) - 0.5f, 0.f, 1.f), 0.1f);
}

TEST(OwnMaterial, MixedPixelsTakeTheColourBesideThem) {
  const Chip chip(15, 0);
  const OwnMaterial found = chip.found();
  for (int y = 40; y < 80; ++y)
    for (int x = 40; x < 80; ++x)
      for (int c = 0; c < 3 && found.share.at<float>(y, x) > 0; ++c)
        EXPECT_NEAR(found.colour.at<cv::Vec3f>(y, x)[c], kPlaster[c], 0.02);
}

TEST(OwnMaterial, LightAloneIsNoMaterialOfItsOwnWhereColourTells) {
  Chip chip(12);
  for (int y = 0; y < 120; ++y)  // the selection's left half in shade, paint and plaster alike
    for (int x = 0; x < 60; ++x) chip.rgb.at<cv::Vec3f>(y, x) *= 0.75f;
  const cv::Mat share = chip.share();
  EXPECT_LT(cv::mean(share, (chip.truth < 0.01) & (chip.selection > 0))[0], 0.05);
  EXPECT_GT(cv::mean(share, chip.truth > 0.99)[0], 0.8);
}

TEST(OwnMaterial, NothingIsFoundWhereNothingDiffersOrNothingIsKnown) {
  Chip plain(0, 0);
  plain.rgb.setTo(kPaint);
  EXPECT_EQ(cv::countNonZero(plain.share()), 0);
  const Chip chip(15);
  EXPECT_EQ(cv::countNonZero(chip.share(cv::Mat::zeros(120, 120, CV_32FC1))), 0);
  cv::Mat nothing = cv::Mat::zeros(120, 120, CV_32FC1), one = nothing.clone();
  one.at<float>(60, 60) = 1;
  EXPECT_EQ(cv::countNonZero(own_material(chip.rgb, nothing, nothing, {}).share), 0);
  EXPECT_EQ(cv::countNonZero(own_material(chip.rgb, one, one, {}).share), 0);
  const cv::Mat all = cv::Mat::ones(120, 120, CV_32FC1);  // a selection of everything has its border at the picture's
  EXPECT_GT(own_material(chip.rgb, all, all, {}).share.at<float>(60, 60), 0.95f);
}

}  // namespace
}  // namespace geometry_transfer
