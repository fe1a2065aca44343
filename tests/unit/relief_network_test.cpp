// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/relief/network.h"

#include <gtest/gtest.h>

#include <cstring>
#include <opencv2/imgproc.hpp>

#include "image/relief/layers.h"
#include "weights/safetensors.h"

namespace geometry_transfer {
namespace {

/// Returns a tensor of height x width x channels as PyTorch stored it (core/models/relief/training/export.py).
cv::Mat golden(const char* name) {
  static const auto file = open_safetensors(std::string(std::getenv("SOURCE")) + "/tests/golden/relief/golden.safetensors");
  const TensorView* t = file->find(name);
  if (!t) throw std::runtime_error(name);
  const int channels = t->shape.size() == 3 ? int(t->shape[2]) : 1;
  cv::Mat out(int(t->shape[0]), int(t->shape[1]), CV_32FC(channels));
  std::memcpy(out.data, t->data, out.total() * out.elemSize());
  return out;
}

TEST(ReliefNetwork, ComputesWhatPyTorchDoes) {
  const cv::Mat out = relief::Network::shipped()(golden("planes")), want = golden("out");
  EXPECT_LT(cv::norm(out, want, cv::NORM_INF), 2e-3);
  double least = 0, most = 0;
  cv::minMaxLoc(want.reshape(1), &least, &most);
  EXPECT_GT(most - least, 1);
}

/// The planes use the tone of the bare material, as in training.
TEST(ReliefNetwork, ReadsTheToneAsInTraining) {
  const cv::Mat planes = golden("planes"), mask = golden("mask");
  cv::Mat near, bare, tone;
  cv::dilate(mask, near, cv::Mat::ones(9, 9, CV_8U));
  bare = 1 - near;
  tone = bare_tone(golden("source"), bare);
  std::vector<cv::Mat> channels;
  cv::split(planes, channels);
  cv::Mat want;
  cv::merge(std::vector<cv::Mat>(channels.begin() + 4, channels.begin() + 7), want);
  EXPECT_LT(cv::norm(tone - cv::Scalar::all(0.5), want, cv::NORM_INF), 1e-4);
}

/// The golden picture shows a dark crack. It must be found, and found dark.
TEST(ReliefNetwork, FindsTheCrack) {
  const GeometryLayers l = split_geometry(golden("source"), golden("mask"), {}, {}).layers;
  double deepest = 0;
  cv::minMaxLoc(l.shade, &deepest);
  EXPECT_LT(deepest, -0.3);
}

/// Draws two drops on a leaf, and their selection. `body`: the colour inside a drop, away from its rim and its glint.
void draw_drops(cv::Mat& drops, cv::Mat& mask, const cv::Scalar& body = {0.25, 0.5, 0.2}) {
  drops = cv::Mat(160, 160, CV_32FC3, cv::Scalar(0.15, 0.4, 0.1)), mask = cv::Mat::zeros(160, 160, CV_32FC1);
  for (const cv::Point at : {cv::Point(50, 50), cv::Point(105, 90)}) {
    cv::circle(drops, at, 22, cv::Scalar(0.08, 0.22, 0.05), cv::FILLED, cv::LINE_AA);
    cv::circle(drops, at + cv::Point(3, 3), 17, body, cv::FILLED, cv::LINE_AA);
    cv::circle(drops, at - cv::Point(7, 7), 5, cv::Scalar(0.97, 0.98, 0.97), cv::FILLED, cv::LINE_AA);
    cv::circle(mask, at, 26, 1, cv::FILLED);
  }
}

/// Water shows the target through by default, paint does not. A value that the user sets wins.
TEST(ReliefNetwork, WaterShowsThroughByItself) {
  const SplitGeometry crack = split_geometry(golden("source"), golden("mask"), {}, {});
  EXPECT_EQ(crack.decided.show_through, 0);
  cv::Mat drops, mask;
  draw_drops(drops, mask);
  Request none;
  none.show_through = 0;
  const SplitGeometry water = split_geometry(drops, mask, {}, {}), milk = split_geometry(drops, mask, {}, none);
  EXPECT_GT(water.decided.show_through, 0.1);
  EXPECT_LT(cv::mean(water.layers.shade + water.layers.light)[0], cv::mean(milk.layers.shade + milk.layers.light)[0]);
}

/// The body of a drop has the colour of the target: grey light is not added where weaker shade explains it.
TEST(ReliefNetwork, WaterHasTheTargetsColour) {
  cv::Mat drops, mask;
  draw_drops(drops, mask, {0.55, 0.65, 0.53});
  const SplitGeometry water = split_geometry(drops, mask, {}, {});
  ASSERT_TRUE(water.decided.water);
  const cv::Rect body(110, 95, 8, 8);  // of the second drop, away from the glint
  const double factor = std::exp(cv::mean(water.layers.shade(body))[0]), light = cv::mean(water.layers.light(body))[0];
  const double red = 0.6 * factor + light, green = 0.1 * factor + light;
  EXPECT_GT(red, 2 * green);
  EXPECT_GT(factor, 0.5);
  EXPECT_GT(cv::mean(water.layers.light(cv::Rect(96, 81, 4, 4)))[0], 0.2);  // the glint is white light
}

/// A convolution by its definition.
float at(const std::vector<float>& w, const std::vector<float>& b, const relief::Activations& in, int inputs, int side, int o,
         int y, int x) {
  double sum = b[o];
  for (int i = 0; i < inputs; ++i)
    for (int ky = 0; ky < side; ++ky)
      for (int kx = 0; kx < side; ++kx) {
        const int yy = y + ky - side / 2, xx = x + kx - side / 2;
        if (yy < 0 || xx < 0 || yy >= in.height() || xx >= in.width()) continue;
        sum += double(w[((std::size_t(o) * inputs + i) * side + ky) * side + kx]) * in.at(yy, xx)[i];
      }
  return float(sum);
}

std::vector<relief::Instructions> available_instructions() {
  std::vector<relief::Instructions> all;
  for (const auto one : {relief::Instructions::baseline, relief::Instructions::avx2, relief::Instructions::avx512})
    if (one <= relief::best_instructions()) all.push_back(one);
  return all;
}

TEST(ReliefNetwork, ConvolutionsFollowTheirDefinition) {
  using Epilogue = relief::Convolution::Epilogue;
  cv::RNG random(1);
  const auto normal = [&](std::size_t n) {
    std::vector<float> v(n);
    for (float& x : v) x = float(random.gaussian(1));
    return v;
  };
  for (const auto& [inputs, outputs, side, height, width] :
       {std::tuple(11, 5, 3, 7, 1), std::tuple(32, 56, 3, 9, 13), std::tuple(16, 33, 1, 4, 6), std::tuple(7, 16, 3, 1, 20)}) {
    const auto w = normal(std::size_t(outputs) * inputs * side * side), b = normal(outputs);
    const relief::Convolution convolution(w.data(), b.data(), outputs, inputs, side);
    relief::Activations in(height, width, inputs), out(height, width, outputs);
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        for (int i = 0; i < inputs; ++i) in.at(y, x)[i] = float(random.gaussian(1));
    for (const auto instructions : available_instructions()) {
      convolution(in, out, Epilogue::none, instructions);
      for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
          for (int o = 0; o < outputs; ++o)
            ASSERT_NEAR(out.at(y, x)[o], at(w, b, in, inputs, side, o, y, x), 1e-4) << inputs << ' ' << y << ' ' << x << ' ' << o;
      const float before = out.at(0, 0)[0];
      convolution(in, out, Epilogue::add, instructions);
      EXPECT_NEAR(out.at(0, 0)[0], 2 * before, 1e-4);
      convolution(in, out, Epilogue::relu, instructions);
      EXPECT_NEAR(out.at(0, 0)[0], std::max(before, 0.0f), 1e-5);
      for (int x = -1; x <= width; ++x) EXPECT_EQ(out.at(height, x)[0], 0) << "the border stays 0";
    }
  }
}

/// Tiles give the same as one piece, except for the mean over the picture, which differs a little between tiles.
TEST(ReliefNetwork, TilesAgreeWithOnePiece) {
  cv::Mat rgb(380, 380, CV_32FC3, cv::Scalar(0.6, 0.55, 0.5)), mask = cv::Mat::zeros(380, 380, CV_32FC1), wide, wide_mask;
  cv::Mat noise(380, 380, CV_32FC3);
  cv::RNG(2).fill(noise, cv::RNG::NORMAL, 0, 0.02);
  rgb += noise;
  cv::line(rgb, {60, 80}, {320, 290}, cv::Scalar::all(0.15), 3, cv::LINE_AA);
  cv::line(mask, {55, 76}, {325, 294}, 1, 17);
  cv::copyMakeBorder(rgb, wide, 0, 160, 0, 160, cv::BORDER_REFLECT_101);
  cv::copyMakeBorder(mask, wide_mask, 0, 160, 0, 160, cv::BORDER_CONSTANT, 0);
  const cv::Mat one = split_geometry(rgb, mask, {}, {}).layers.shade;
  const cv::Mat tiled = split_geometry(wide, wide_mask, {}, {}).layers.shade({0, 0, 380, 380});
  double deepest = 0;
  cv::minMaxLoc(one, &deepest);
  EXPECT_LT(deepest, -0.8);
  EXPECT_LT(cv::norm(one, tiled, cv::NORM_L2), 0.2 * cv::norm(one, cv::NORM_L2));
}

}  // namespace
}  // namespace geometry_transfer
