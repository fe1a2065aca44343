// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/placement.h"

#include <gtest/gtest.h>

#include "scene_on_mats.h"

namespace geometry_transfer {
namespace {

using test::MatRaster;

MatRaster picture(cv::Size size, int x, int y) { return MatRaster(test::stone(size, {0.5, 0.4, 0.3}, 0.2, 9), x, y); }

Placement turned(double degrees, double scale = 1, bool flip = false) {
  Placement p;
  p.rotation = degrees, p.scale = scale, p.flip = flip;
  return p;
}

cv::Mat rgb_of(const cv::Mat& rgba) {
  cv::Mat rgb;
  cv::cvtColor(rgba, rgb, cv::COLOR_RGBA2RGB);
  return rgb;
}

TEST(Placement, IdentityCopiesPixels) {
  const MatRaster p = picture({40, 30}, 3, 5);
  const Pixels seen = sample_colour(p, affine_of({}, {17, 11}), {3, 5, 40, 30}, {40, 30});
  EXPECT_EQ(test::largest_difference(seen.rgb, rgb_of(const_cast<MatRaster&>(p).pixels())), 0);
  EXPECT_TRUE(seen.known.empty());
}

TEST(Placement, ShiftMovesRightAndDown) {
  MatRaster p = picture({40, 30}, 0, 0);
  Placement shift;
  shift.shift_x = 7, shift.shift_y = 4;
  const Pixels seen = sample_colour(p, affine_of(shift, {20, 15}), {7, 4, 33, 26}, {33, 26});
  EXPECT_EQ(test::largest_difference(seen.rgb, rgb_of(p.pixels()(cv::Rect(0, 0, 33, 26)))), 0);
}

TEST(Placement, QuarterTurnIsCounterClockwiseAndExact) {
  MatRaster p = picture({32, 32}, 0, 0);
  cv::Mat expected;
  cv::rotate(rgb_of(p.pixels()), expected, cv::ROTATE_90_COUNTERCLOCKWISE);
  EXPECT_EQ(test::largest_difference(sample_colour(p, affine_of(turned(90), {16, 16}), {0, 0, 32, 32}, {32, 32}).rgb, expected),
            0);
  EXPECT_EQ(test::largest_difference(sample_colour(p, affine_of(turned(-270), {16, 16}), {0, 0, 32, 32}, {32, 32}).rgb, expected),
            0);
}

TEST(Placement, FourQuarterTurnsAndTwoFlipsAreNothing) {
  const cv::Point2d centre(16, 12);
  Affine a = kIdentity, f = kIdentity;
  for (int i = 0; i < 4; ++i) a = composed(a, affine_of(turned(90), centre));
  for (int i = 0; i < 2; ++i) f = composed(f, affine_of(turned(0, 1, true), centre));
  EXPECT_EQ(a, kIdentity);
  EXPECT_EQ(f, kIdentity);
}

TEST(Placement, FlipMirrorsLeftRightBeforeItTurns) {
  MatRaster p = picture({32, 32}, 0, 0);
  cv::Mat expected;
  cv::flip(rgb_of(p.pixels()), expected, 1);
  cv::rotate(expected, expected, cv::ROTATE_90_COUNTERCLOCKWISE);
  const Pixels seen = sample_colour(p, affine_of(turned(90, 1, true), {16, 16}), {0, 0, 32, 32}, {32, 32});
  EXPECT_EQ(test::largest_difference(seen.rgb, expected), 0);
}

TEST(Placement, ScaleEnlargesAboutTheCentre) {
  const Affine a = affine_of(turned(0, 2), {10, 20});
  EXPECT_EQ(map(a, {10, 20}), cv::Point2d(10, 20));
  EXPECT_EQ(map(a, {11, 20}), cv::Point2d(12, 20));
  EXPECT_EQ(map(inverse(a), {12, 20}), cv::Point2d(11, 20));
}

TEST(Placement, StretchWidensBeforeTheTurn) {
  Placement p = turned(0, 2);
  p.stretch = 1.5;
  EXPECT_EQ(map(affine_of(p, {10, 20}), {11, 21}), cv::Point2d(13, 22));
  p.rotation = 90;  // the old width is now the height, its left end at the bottom
  EXPECT_EQ(map(affine_of(p, {10, 20}), {11, 21}), cv::Point2d(12, 17));
  p.flip = true;
  EXPECT_EQ(map(affine_of(p, {10, 20}), {11, 21}), cv::Point2d(12, 23));
}

TEST(Placement, WhatIsNarrowedKeepsItsDetailDownwards) {
  cv::Mat stripes(64, 64, CV_32FC4, cv::Scalar(0, 0, 0, 1));
  for (int y = 0; y < 64; y += 2) stripes.row(y).setTo(cv::Scalar(1, 1, 1, 1));
  Placement narrow;
  narrow.stretch = 0.25;
  const Pixels seen = sample_colour(MatRaster(stripes), affine_of(narrow, {32, 32}), {28, 26, 8, 12}, {8, 12});
  for (int y = 0; y < 12; ++y) EXPECT_NEAR(seen.rgb.at<cv::Vec3f>(y, 4)[0], y % 2 == 0, 0.02) << y;
}

TEST(Placement, ShrinkingAveragesInsteadOfSkipping) {
  cv::Mat stripes(64, 64, CV_32FC4, cv::Scalar(0, 0, 0, 1));
  for (int x = 0; x < 64; x += 2) stripes.col(x).setTo(cv::Scalar(1, 1, 1, 1));
  const MatRaster p(stripes);
  const Pixels seen = sample_colour(p, affine_of(turned(0, 0.25), {32, 32}), {26, 26, 12, 12}, {12, 12});
  EXPECT_LT(test::largest_difference(seen.rgb, cv::Mat(12, 12, CV_32FC3, cv::Scalar::all(0.5))), 0.02);
}

TEST(Placement, MeasuresTightBoundsOfASmallSelectionOnALargeCanvas) {
  cv::Mat mask = cv::Mat::zeros(6000, 9000, CV_32FC1);
  mask(cv::Rect(7003, 4005, 9, 5)).setTo(1);
  const MatRaster raster(mask, -10, 20);
  const MaskShape shape = measure(raster);
  EXPECT_TRUE((shape.bounds == Rect{6993, 4025, 9, 5})) << shape.bounds.x << ' ' << shape.bounds.y << ' ' << shape.bounds.width;
  EXPECT_NEAR(shape.centroid.x, 6997.5, 0.51);
  EXPECT_NEAR(shape.centroid.y, 4027.5, 0.51);
  EXPECT_NEAR(shape.area, 45, 0.01);
  EXPECT_LT(raster.most_read, 1100 * 1100);
}

TEST(Placement, AnEmptySelectionIsEmpty) {
  EXPECT_TRUE(measure(MatRaster(cv::Mat::zeros(50, 60, CV_32FC1))).empty());
  cv::Mat nothing(50, 60, CV_32FC1, cv::Scalar(std::nan("")));
  EXPECT_TRUE(measure(MatRaster(nothing)).empty());
}

TEST(Placement, PixelsThatAreNotThereAreFilledAndMarked) {
  MatRaster p = picture({40, 40}, 0, 0);
  p.pixels().at<cv::Vec4f>(20, 20) = {NAN, INFINITY, 0, 1};
  p.pixels()(cv::Rect(0, 0, 10, 40)).setTo(cv::Scalar(5, 5, 5, 0));  // transparent, with a colour that must not show
  const Pixels seen = sample_colour(p, kIdentity, {-8, 0, 60, 40}, {60, 40});
  EXPECT_TRUE(cv::checkRange(seen.rgb, true, nullptr, -0.5, 1.6));
  EXPECT_EQ(seen.known.at<float>(20, 28), 0);
  EXPECT_EQ(seen.known.at<float>(20, 4), 0);   // outside the layer
  EXPECT_EQ(seen.known.at<float>(20, 12), 0);  // transparent
  EXPECT_EQ(seen.known.at<float>(20, 25), 1);
  EXPECT_NEAR(cv::mean(seen.rgb.colRange(0, 18))[0], 0.5, 0.1);
}

}  // namespace
}  // namespace geometry_transfer
