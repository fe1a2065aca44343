// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "image/image_pipeline.h"
#include "image/mask.h"
#include "scene_on_mats.h"

namespace geometry_transfer {
namespace {

using test::Dent;
using test::disc;

TEST(Mask, GrowsAndShrinksByPixels) {
  const cv::Mat mask = disc({200, 200}, {100, 100}, 40);
  EXPECT_EQ(test::largest_difference(grown(mask, 0), mask), 0);
  for (const double by : {1.0, 7.5, 25.0, -1.0, -12.0}) {
    const double radius = std::sqrt(cv::sum(grown(mask, by))[0] / CV_PI);
    EXPECT_NEAR(radius, 40 + by, 0.35) << by;
  }
  EXPECT_EQ(cv::countNonZero(grown(mask, -60)), 0);
}

TEST(Mask, FeatherFallsFromOneToExactlyZero) {
  const cv::Mat mask = disc({200, 200}, {100, 100}, 40), alpha = feathered(mask, 12);
  for (int x = 100; x < 200; ++x) {
    const double outside = x + 0.5 - 140;
    const float a = alpha.at<float>(100, x);
    if (outside < 0) {
      EXPECT_EQ(a, 1);
    }
    if (outside > 13.5) {
      EXPECT_EQ(a, 0) << x;
    }
    EXPECT_LE(a, alpha.at<float>(100, x - 1));
  }
  EXPECT_NEAR(alpha.at<float>(100, 146), 0.5, 0.1);
  EXPECT_EQ(test::largest_difference(feathered(mask, 0), mask), 0);
}

TEST(Mask, ASoftSelectionKeepsItsOwnBorder) {
  cv::Mat soft;
  cv::GaussianBlur(disc({200, 200}, {100, 100}, 40), soft, {}, 15);
  const cv::Mat alpha = feathered(soft, 3);
  EXPECT_EQ(cv::countNonZero(alpha < soft), 0);
  EXPECT_EQ(alpha.at<float>(100, 165), soft.at<float>(100, 165));
  const cv::Mat faint = disc({50, 50}, {25, 25}, 10) * 0.3;
  EXPECT_EQ(test::largest_difference(feathered(faint, 3), faint), 0);
}

TEST(Composite, IsCroppedAndHoldsThePixelsBitForBit) {
  Dent d({300, 260}, {150, 120}, 30);
  Request request;
  const WorkingImages v = read_working_images(d.scene, request, 256, 8);
  cv::Mat pixels(v.target.size(), CV_32FC3);
  cv::RNG(6).fill(pixels, cv::RNG::UNIFORM, 0, 1);
  const Layer layer = composite(v, pixels, request);
  EXPECT_LE(layer.area.width, 2 * (30 + 5));
  EXPECT_GE(layer.area.width, 2 * 30);
  ASSERT_EQ(layer.rgba.size(), std::size_t(layer.area.width) * layer.area.height * 4);
  bool edge_left = false;
  for (int y = 0; y < layer.area.height; ++y)
    for (int x = 0; x < layer.area.width; ++x) {
      const float* p = &layer.rgba[4 * (std::size_t(y) * layer.area.width + x)];
      const cv::Vec3f& q = pixels.at<cv::Vec3f>(layer.area.y + y - v.area.rect.y, layer.area.x + x - v.area.rect.x);
      for (int c = 0; c < 3; ++c) ASSERT_EQ(p[c], q[c]);
      const double r = std::hypot(layer.area.x + x + 0.5 - 150, layer.area.y + y + 0.5 - 120);
      if (r <= 30) {
        ASSERT_EQ(p[3], 1);
      }
      if (r > 30 + 5) {
        ASSERT_EQ(p[3], 0);
      }
      edge_left |= x == 0 && p[3] > 0;
    }
  EXPECT_TRUE(edge_left);
}

/// The box is as tight as it can be: each of its borders has a visible pixel, and no visible pixel is outside.
TEST(Composite, TheBoxIsThatOfTheAlpha) {
  Dent d({300, 260}, {150, 120}, 30);
  d.mask.pixels()(cv::Rect(150, 0, 150, 260)).setTo(0);  // width and height of the geometry differ
  Request request;
  const WorkingImages v = read_working_images(d.scene, request, 256, 8);
  const Layer layer = composite(v, v.target, request);
  const cv::Mat rgba(layer.area.height, layer.area.width, CV_32FC4, const_cast<float*>(layer.rgba.data()));
  cv::Mat alpha;
  cv::extractChannel(rgba, alpha, 3);
  for (const cv::Mat& border : {alpha.row(0), alpha.row(alpha.rows - 1), alpha.col(0), alpha.col(alpha.cols - 1)})
    EXPECT_GT(cv::countNonZero(border), 0);
  EXPECT_EQ(cv::countNonZero(alpha), cv::countNonZero(feathered(v.mask, request.feather)));
}

/// Above 8 megapixels the mask has fewer pixels than the rectangle. The feather is still given in canvas pixels.
TEST(Composite, TheFeatherIsInCanvasPixelsWhateverTheViewsSize) {
  WorkingImages v;
  v.view = {200, 150};
  v.mask = disc(v.view, {100, 75}, 40);
  v.area.rect = {0, 0, 800, 600};
  Request request;
  request.feather = 40;
  const Layer layer = composite(v, cv::Mat(600, 800, CV_32FC3, cv::Scalar::all(0.5)), request);
  const auto alpha = [&](int x) {
    return layer.rgba[4 * (std::size_t(300 - layer.area.y) * layer.area.width + x - layer.area.x) + 3];
  };
  EXPECT_EQ(alpha(400 + 150), 1);                 // the disc's radius is 160 canvas pixels
  EXPECT_NEAR(alpha(400 + 160 + 20), 0.5, 0.12);  // in the middle of the feather
  EXPECT_NEAR(layer.area.width, 2 * (160 + 40), 12);
}

TEST(Composite, NothingIsPaintedWhereTheTargetIsTransparent) {
  Dent d({300, 260}, {150, 120}, 30);
  d.target.pixels()(cv::Rect(0, 0, 150, 260)).setTo(cv::Scalar(1, 0, 0, 0));
  const WorkingImages v = read_working_images(d.scene, {}, 256, 8);
  const cv::Mat edited = edit(v, {});
  const Layer layer = composite(v, edited, {});
  EXPECT_EQ(layer.area.x, 150);
  // The hidden red must not bleed into the visible part.
  EXPECT_LT(cv::mean(edited.colRange(0, 150 - v.area.rect.x))[0], 0.5);
}

}  // namespace
}  // namespace geometry_transfer
