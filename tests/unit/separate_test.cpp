// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "image/edit.h"
#include "image/image_pipeline.h"
#include "request/library.h"
#include "scene_on_mats.h"

extern "C" const geometry_transfer::ImagePart* geometry_transfer_image_part(int abi);

namespace geometry_transfer {
namespace {

using Mode = BlendLayer::Mode;
using test::Dent;

const ImagePart& part() { return *geometry_transfer_image_part(kAbi); }

float eight_bits(float v) { return std::round(std::clamp(v, 0.0f, 1.0f) * 255) / 255; }

/// Blends a layer over `picture` (CV_32FC4) as a host with 8 bits does: the layer's values are rounded, the sum is not.
void blend(cv::Mat& picture, const Layer& layer, Mode mode) {
  for (int y = 0; y < layer.area.height; ++y)
    for (int x = 0; x < layer.area.width; ++x) {
      const float* l = layer.rgba.data() + 4 * (std::size_t(y) * layer.area.width + x);
      cv::Vec4f& p = picture.at<cv::Vec4f>(layer.area.y + y, layer.area.x + x);
      const float alpha = eight_bits(l[3]);
      for (int c = 0; c < 3; ++c) {
        const float v = eight_bits(l[c]);
        const float blended = mode == Mode::multiply   ? p[c] * v
                              : mode == Mode::add      ? p[c] + v
                              : mode == Mode::subtract ? p[c] - v
                                                       : v;
        p[c] += alpha * (blended - p[c]);
      }
    }
}

cv::Mat blended(const cv::Mat& target, const std::vector<BlendLayer>& layers) {
  cv::Mat out = target.clone();
  for (const BlendLayer& layer : layers) blend(out, layer.pixels, layer.mode);
  return out;
}

cv::Mat blended(const cv::Mat& target, const Layer& layer) { return blended(target, {{Mode::normal, layer}}); }

/// The layer's pixel at a place of the canvas.
const float* at(const Layer& layer, int x, int y) {
  return layer.rgba.data() + 4 * (std::size_t(y - layer.area.y) * layer.area.width + x - layer.area.x);
}

double levels(const cv::Mat& a, const cv::Mat& b) { return 255 * test::largest_difference(a, b); }

Layer edited(const Scene& scene, const Request& request) {
  Report report;
  return part().edit(scene, request, {}, report);
}

bool has(const std::vector<BlendLayer>& layers, Mode mode) {
  return std::any_of(layers.begin(), layers.end(), [&](const BlendLayer& l) { return l.mode == mode; });
}

/// A bared spot: bright, of a colour of its own.
void bare_spot(Dent& d, cv::Point2d centre, double radius) {
  const cv::Mat spot = test::disc(d.source.pixels().size(), centre, radius);
  d.source.pixels().setTo(cv::Scalar(0.05, 0.03, 0.02, 1), spot > 0);
}

TEST(Separate, BlendedLayersAreTheResult) {
  for (const double feather : {0.0, 4.0})
    for (const double strength : {kAutomatic, 0.5, 2.0})
      for (const bool spot : {false, true}) {
        Dent d({200, 180}, {100, 90}, 40);
        if (spot) bare_spot(d, {100, 90}, 12);
        Request request;
        request.feather = feather, request.strength = strength;
        const Layer result = edited(d.scene, request);
        const auto layers = part().separate(d.scene, request, result);
        EXPECT_TRUE(has(layers, Mode::multiply));
        EXPECT_LE(levels(blended(d.target.pixels(), layers), blended(d.target.pixels(), result)), 2.0)
            << feather << strength << spot;
      }
}

TEST(Separate, FollowsAnotherTarget) {
  Dent d({200, 180}, {100, 90}, 40);
  bare_spot(d, {100, 90}, 12);
  Request request;
  request.strength = 1;
  const Layer result = edited(d.scene, request);
  const auto layers = part().separate(d.scene, request, result);
  // The same geometry on a repainted target: the layers follow it, the single layer shows the old one.
  test::MatRaster repainted(test::stone({200, 180}, {0.6, 0.45, 0.3}, 0.05, 9));
  Scene scene = d.scene;
  scene.target = &repainted;
  const cv::Mat truth = blended(repainted.pixels(), edited(scene, request));
  const double followed = cv::norm(blended(repainted.pixels(), layers), truth),
               single = cv::norm(blended(repainted.pixels(), result), truth);
  EXPECT_LT(followed, 0.15 * single);
}

TEST(Separate, OwnMaterialIsALayerOfItsOwn) {
  Dent d({200, 180}, {100, 90}, 40);
  bare_spot(d, {100, 90}, 25);
  Request request;
  request.own_material = 1, request.strength = 1;
  const Layer result = edited(d.scene, request);
  const auto layers = part().separate(d.scene, request, result);
  ASSERT_TRUE(has(layers, Mode::normal));
  for (const BlendLayer& layer : layers) {
    if (layer.mode != Mode::normal) continue;
    const float* middle = at(layer.pixels, 100, 90);
    EXPECT_GT(middle[3], 0.9f);
    EXPECT_NEAR(middle[0], 0.05f, 0.02f);
  }
  EXPECT_LE(levels(blended(d.target.pixels(), layers), blended(d.target.pixels(), result)), 2.0);
}

TEST(Separate, TakesAModelsResult) {
  Dent d({200, 180}, {100, 90}, 40);
  const Request request;
  Layer result = edited(d.scene, request);
  for (std::size_t i = 0; i < result.rgba.size(); i += 4) result.rgba[i] *= 0.8f, result.rgba[i + 2] += 0.1f;
  const auto layers = part().separate(d.scene, request, result);
  EXPECT_TRUE(has(layers, Mode::add));
  EXPECT_TRUE(has(layers, Mode::subtract));
  EXPECT_LE(levels(blended(d.target.pixels(), layers), blended(d.target.pixels(), result)), 2.0);
}

/// A model's faint border may lie a little outside what the edit reads; such pixels are left out and no other memory is
/// read.
TEST(Separate, TakesAResultThatIsLargerThanTheEditsRectangle) {
  Dent d({200, 180}, {100, 90}, 40);
  const Request request;
  const Layer result = edited(d.scene, request);
  Layer wide{{result.area.x - 30, result.area.y - 20, result.area.width + 60, result.area.height + 40}, {}};
  wide.rgba.resize(std::size_t(wide.area.width) * wide.area.height * 4);
  for (int y = 0; y < result.area.height; ++y)
    std::copy_n(result.rgba.data() + std::size_t(y) * result.area.width * 4, result.area.width * 4,
                wide.rgba.data() + (std::size_t(y + 20) * wide.area.width + 30) * 4);
  const auto layers = part().separate(d.scene, request, wide);
  ASSERT_FALSE(layers.empty());
  EXPECT_LT(layers[0].pixels.area.width, wide.area.width);
  EXPECT_LE(levels(blended(d.target.pixels(), layers), blended(d.target.pixels(), result)), 2.0);
}

TEST(Separate, LeavesOutWhatChangesNothing) {
  Dent d({200, 180}, {100, 90}, 40);
  Request request;
  request.strength = 0;
  EXPECT_TRUE(part().separate(d.scene, request, edited(d.scene, request)).empty());
}

TEST(Separate, PasteOfThePaperToo) {
  Dent d({200, 180}, {100, 90}, 40);
  Request request;
  request.colour = Colour::mean;
  const Layer result = edited(d.scene, request);
  EXPECT_LE(levels(blended(d.target.pixels(), part().separate(d.scene, request, result)), blended(d.target.pixels(), result)),
            2.0);
}

TEST(Separate, SeveralReferencesThatOverlap) {
  Dent d({200, 180}, {100, 90}, 40);
  d.scene.references.push_back(d.scene.references[0]);
  d.scene.references[1].placement.shift_x = 45;
  const Request request;
  const Layer result = edited(d.scene, request);
  EXPECT_LE(levels(blended(d.target.pixels(), part().separate(d.scene, request, result)), blended(d.target.pixels(), result)),
            2.0);
}

}  // namespace
}  // namespace geometry_transfer
