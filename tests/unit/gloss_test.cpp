// SPDX-License-Identifier: GPL-3.0-or-later
/// Brightening in the material's own colour and brightening toward the light's white are told apart where the material has a
/// colour.
#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "image/carve.h"

namespace geometry_transfer {
namespace {

constexpr int kSide = 96;

/// A round bump in the middle of a plain material, `bump` of its colour there.
Carving carved(const cv::Scalar& material, const cv::Scalar& bump) {
  cv::Mat rgb(kSide, kSide, CV_32FC3, material), mask = cv::Mat::zeros(kSide, kSide, CV_32FC1);
  cv::circle(rgb, {kSide / 2, kSide / 2}, 14, bump, cv::FILLED);
  cv::circle(mask, {kSide / 2, kSide / 2}, 24, 1, cv::FILLED);
  return carve(rgb, mask, mask, {}, {});
}
float middle(const cv::Mat& field) { return field.at<float>(kSide / 2, kSide / 2); }

const cv::Scalar kLeaf(0.2, 0.5, 0.1);
cv::Scalar scaled(const cv::Scalar& c, double by) { return c * by; }
cv::Scalar toward_white(const cv::Scalar& c, double by) { return c + by * (cv::Scalar::all(1) - c); }

TEST(Gloss, WhiteOnAColourIsAHighlight) {
  const Carving c = carved(kLeaf, toward_white(kLeaf, 0.4));
  EXPECT_GT(middle(c.shading.light), 0.25f);
  EXPECT_LT(middle(c.shading.factor), 1.2f);
}

TEST(Gloss, MoreLightOnAColourKeepsTheColour) {
  const Carving c = carved(kLeaf, scaled(kLeaf, 1.4));
  EXPECT_GT(middle(c.shading.factor), 1.3f);
  EXPECT_LT(middle(c.shading.light), 0.05f);
}

TEST(Gloss, GrayCountsAsMatt) {
  const cv::Scalar gray = cv::Scalar::all(0.4);
  const Carving c = carved(gray, toward_white(gray, 0.3));
  EXPECT_GT(middle(c.shading.factor), 1.3f);
}

}  // namespace
}  // namespace geometry_transfer
