// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <cmath>

#include "image/image_pipeline.h"

namespace geometry_transfer {
namespace {

cv::Mat flat(float r, float g, float b) { return cv::Mat(2, 3, CV_32FC3, cv::Scalar(r, g, b)); }
cv::Vec3f first(const cv::Mat& m) { return m.at<cv::Vec3f>(0, 0); }

TEST(ShadowsOnly, DeepensWhatTheEditDarkenedTheLessTheDeeperItIs) {
  for (const float left : {0.8f, 0.5f, 0.0f}) {
    const cv::Vec3f v =
        first(shadows_only(flat(-0.1f, -0.1f, -0.1f), flat(left / 2, left / 2, left / 2), flat(0.5f, 0.5f, 0.5f)));
    for (int c = 0; c < 3; ++c) EXPECT_NEAR(v[c], -0.1f * std::pow(left, 4), 1e-6f);
  }
}

TEST(ShadowsOnly, LeavesUntouchedTextureAndHighlightsAlone) {
  const cv::Mat target = flat(0.5f, 0.4f, 0.3f);
  EXPECT_EQ(first(shadows_only(flat(-0.1f, -0.1f, -0.1f), target, target)), cv::Vec3f::all(0)) << "the edit changed nothing here";
  EXPECT_EQ(first(shadows_only(flat(-0.1f, -0.1f, -0.1f), flat(0.8f, 0.8f, 0.8f), target)), cv::Vec3f::all(0)) << "a highlight";
  EXPECT_EQ(first(shadows_only(flat(0.2f, 0.2f, 0.2f), flat(0.1f, 0.1f, 0.1f), target)), cv::Vec3f::all(0)) << "never brightens";
}

TEST(ShadowsOnly, KeepsHue) {
  const cv::Vec3f v = first(shadows_only(flat(-0.3f, 0.0f, 0.1f), flat(0.2f, 0.2f, 0.2f), flat(0.5f, 0.5f, 0.5f)));
  EXPECT_LT(v[0], 0);
  EXPECT_EQ(v[0], v[1]);
  EXPECT_EQ(v[1], v[2]);
}

}  // namespace
}  // namespace geometry_transfer
