// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/relief/own_material.h"

#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

namespace geometry_transfer {
namespace {

/// A flat picture with a spot of another colour in the middle, and grain of each channel's own everywhere.
struct Spot {
  Spot(const cv::Scalar& material, const cv::Scalar& spot, double grain = 0.004) : picture(120, 120, CV_32FC3, material) {
    cv::circle(picture, {60, 60}, 14, spot, cv::FILLED, cv::LINE_AA);
    cv::GaussianBlur(picture, picture, {}, 1.5);
    cv::Mat noise(picture.size(), CV_32FC3);
    cv::RNG rng(5);
    rng.fill(noise, cv::RNG::NORMAL, 0, grain);
    picture += noise;
    cv::circle(mask, {60, 60}, 24, 1, cv::FILLED);
    tone = cv::Mat(picture.size(), CV_32FC3, material);
  }
  /// Returns own material that the colour alone gives.
  cv::Mat own() const {
    GeometryLayers layers;
    for (cv::Mat* field : {&layers.shade, &layers.light, &layers.own}) *field = cv::Mat::zeros(picture.size(), CV_32FC1);
    raise_own(layers, own_colour(picture, tone, mask, 1 - mask));
    return layers.own;
  }
  cv::Mat picture, tone, mask = cv::Mat::zeros(120, 120, CV_32FC1);
};

TEST(OwnMaterial, RustIsOwnAndTheMetalBesideItIsNot) {
  const cv::Scalar rust(0.35, 0.2, 0.1);
  Spot spot({0.6, 0.6, 0.62}, rust);
  cv::circle(spot.picture, {100, 100}, 3, rust, cv::FILLED);  // outside the selection
  const cv::Mat own = spot.own();
  EXPECT_GT(own.at<float>(60, 60), 0.95f);
  EXPECT_LT(own.at<float>(60, 79), 0.05f);
  EXPECT_EQ(own.at<float>(100, 100), 0);
}

/// Shadow, white highlight and a grey floor can be made of shade and white light, so they take the target's colour.
TEST(OwnMaterial, ShadeAndWhiteLightAreNotOwn) {
  const cv::Scalar ochre(0.7, 0.5, 0.2);
  for (const cv::Scalar& spot : {cv::Scalar(0.28, 0.2, 0.08), cv::Scalar(0.95, 0.75, 0.45), cv::Scalar(0.1, 0.1, 0.1)})
    EXPECT_LT(cv::mean(Spot(ochre, spot).own())[0], 1e-3) << spot;
}

/// Grain of any colour is not own: neither faint grain nor grain so strong that each of its colours is rare.
TEST(OwnMaterial, ColouredGrainIsNotOwn) {
  for (const double grain : {0.12, 0.5})
    EXPECT_LT(cv::mean(Spot({0.5, 0.5, 0.5}, {0.3, 0.3, 0.3}, grain).own())[0], 2e-3) << grain;
}

/// The tone inside a selection is a guess from outside. A colour that the bare material has anywhere is not own.
TEST(OwnMaterial, ABareColourFromElsewhereIsNotOwn) {
  const cv::Scalar brown(0.35, 0.2, 0.1);
  Spot spot({0.6, 0.6, 0.62}, brown);
  EXPECT_GT(spot.own().at<float>(60, 60), 0.95f);
  spot.picture(cv::Rect(0, 0, 120, 12)).setTo(brown);
  spot.tone(cv::Rect(0, 0, 120, 12)).setTo(brown);
  EXPECT_LT(spot.own().at<float>(60, 60), 0.05f);
}

/// Bright red paint glints as much as water does, but it has a colour of its own.
TEST(OwnMaterial, BrightPaintIsNotWater) {
  Spot paint({0.2, 0.18, 0.12}, {0.95, 0.5, 0.5});
  const SplitGeometry split = split_geometry(paint.picture, paint.mask, {}, {});
  EXPECT_FALSE(split.decided.water);
  EXPECT_GT(split.layers.own.at<float>(60, 60), 0.9f);
}

/// Through the whole split: a rust spot stays rust on a green target.
TEST(OwnMaterial, TheSplitKeepsRust) {
  const Spot rust({0.6, 0.6, 0.62}, {0.35, 0.2, 0.1});
  const GeometryLayers layers = split_geometry(rust.picture, rust.mask, {}, {}).layers;
  EXPECT_GT(layers.own.at<float>(60, 60), 0.9f);
}

}  // namespace
}  // namespace geometry_transfer
