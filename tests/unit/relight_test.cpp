// SPDX-License-Identifier: GPL-3.0-or-later
/// The light of a geometry: from where it is measured to come, and how the geometry looks in another light.
#include <gtest/gtest.h>

#include <cmath>

#include "image/placement.h"
#include "image/relief/relight.h"

using namespace geometry_transfer;

namespace {

/// A round dent of 40 pixels, lit from `degrees` (counter-clockwise from the right). The shade is linear in the slope,
/// plus a little occlusion: the law that relight() rests on, but not in its own words.
GeometryLayers dent_lit_from(double degrees, int side = 160) {
  const double x0 = side / 2.0, a = degrees * CV_PI / 180, lx = std::cos(a), ly = -std::sin(a), r = side / 8.0;
  GeometryLayers layers;
  for (cv::Mat* field : {&layers.shade, &layers.light, &layers.own}) *field = cv::Mat::zeros(side, side, CV_32FC1);
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const double u = (x - x0) / r, v = (y - x0) / r, depth = std::exp(-(u * u + v * v));
      // h = -depth, so its slope along the light is 2 depth (u lx + v ly). A slope that rises towards the light is
      // dark.
      layers.shade.at<float>(y, x) = float(-0.8 * depth * (u * lx + v * ly) - 0.15 * depth);
    }
  return layers;
}

double angle_between(cv::Point2d a, cv::Point2d b) {
  return std::acos((a.x * b.x + a.y * b.y) / std::hypot(a.x, a.y) / std::hypot(b.x, b.y)) * 180 / CV_PI;
}

double correlation(const cv::Mat& a, const cv::Mat& b) { return a.dot(b) / std::sqrt(a.dot(a) * b.dot(b)); }

Affine turned(double rotation, bool flip = false) {
  Placement p;
  p.rotation = rotation, p.flip = flip;
  return affine_of(p, {50, 70});
}

}  // namespace

TEST(Relight, FindsTheDirectionOfTheLight) {
  for (double degrees : {0, 35, 90, 160, 270}) {
    const cv::Point2d light = light_of(dent_lit_from(degrees), 0.5);
    const double a = degrees * CV_PI / 180;
    // A dent is bright on the side away from the light.
    EXPECT_LT(angle_between(light, {-std::cos(a), std::sin(a)}), 10) << degrees;
    EXPECT_GT(std::hypot(light.x, light.y), 0.5);
  }
}

TEST(Relight, FindsNoLightWhereNothingIsBrightOrNothingIsThere) {
  GeometryLayers crack = dent_lit_from(0);
  crack.shade = cv::min(crack.shade, 0);
  EXPECT_EQ(std::hypot(light_of(crack, 0.5).x, light_of(crack, 0.5).y), 0);
  crack.shade = 0;
  EXPECT_EQ(std::hypot(light_of(crack, 0.5).x, light_of(crack, 0.5).y), 0);
}

TEST(Relight, ADentInAnotherLightIsTheDentThatWasRenderedInIt) {
  for (int side : {160, 400}) {  // 400 is computed on a smaller picture
    const GeometryLayers from = dent_lit_from(20, side);
    const cv::Point2d light = light_of(from, 0.5);
    for (double to : {200, 110, -70}) {
      const GeometryLayers wanted = dent_lit_from(to, side);
      const GeometryLayers found = relight(from, light, wanted_light(light, kIdentity, to - 20));
      EXPECT_GT(correlation(found.shade, wanted.shade), 0.6) << side << " " << to;
      EXPECT_LT(correlation(from.shade, wanted.shade), 0.2) << "the test asks for nothing, or the layers were changed";
    }
  }
}

TEST(Relight, IsNowhereBrighterOrDarkerThanTheLayerWas) {
  GeometryLayers hole = dent_lit_from(20);
  hole.shade = cv::max(hole.shade * 4, -2);
  cv::Mat bounded = cv::min(hole.shade, 0.05);
  hole.shade = bounded;
  double low, high, low_after, high_after;
  cv::minMaxLoc(hole.shade, &low, &high);
  const GeometryLayers turned = relight(hole, {1.4, -0.5}, {-1.4, 0.5});
  cv::minMaxLoc(turned.shade, &low_after, &high_after);
  EXPECT_GT(cv::norm(turned.shade - hole.shade, cv::NORM_INF), 0.5) << "the test asks for nothing";
  EXPECT_GE(low_after, low);
  EXPECT_LE(high_after, high);
}

TEST(Relight, WorksOnTheSmallestAndOnExtremeLayers) {
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(1, 400), cv::Size(700, 3)})
    for (const float value : {-5.0f, 0.0f, 2.0f}) {
      GeometryLayers layers;
      layers.shade = cv::Mat(size, CV_32FC1, cv::Scalar(value));
      layers.light = cv::Mat(size, CV_32FC1, cv::Scalar(-value / 2));
      layers.own = cv::Mat::zeros(size, CV_32FC1);
      const cv::Point2d light = light_of(layers, 0);
      EXPECT_LE(std::hypot(light.x, light.y), 1.5 + 1e-9);  // and no NaN
      const GeometryLayers lit = relight(layers, {1.5, 0}, {-1.5, 0});
      EXPECT_EQ(lit.shade.size(), size);
      EXPECT_TRUE(cv::checkRange(lit.shade, true, nullptr, -5.001, 2.001)) << size << " " << value;
      EXPECT_TRUE(cv::checkRange(lit.light, true, nullptr, -2.501, 2.501)) << size << " " << value;
    }
}

TEST(Relight, TheSameLightChangesNoBit) {
  const GeometryLayers from = dent_lit_from(20);
  const cv::Point2d light = light_of(from, 0.5);
  EXPECT_EQ(cv::norm(relight(from, light, wanted_light(light, kIdentity, 0)).shade, from.shade, cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(relight(from, light, wanted_light(light, turned(75), 75)).shade, from.shade, cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(relight(from, {}, wanted_light({}, turned(75), 0)).shade, from.shade, cv::NORM_INF), 0);
}

TEST(Relight, TheWantedLightLiesInTheReference) {
  const cv::Point2d light(0.6, 0.3);
  const auto near = [](cv::Point2d a, cv::Point2d b) { return std::hypot(a.x - b.x, a.y - b.y) < 1e-9; };
  EXPECT_TRUE(near(wanted_light(light, turned(180), 0), -light));
  EXPECT_TRUE(near(wanted_light(light, turned(0, true), 0), {-0.6, 0.3}));
  // Turned counter-clockwise by 90 degrees, the reference's right lies up in the target. Light from the target's right
  // is then light from below in the reference.
  EXPECT_TRUE(near(wanted_light({1, 0}, turned(90), 0), {0, 1}));
  EXPECT_TRUE(near(wanted_light({1, 0}, kIdentity, 90), {0, -1}));
}
