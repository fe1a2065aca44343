// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/patch.h"

#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "scene_on_mats.h"

namespace geometry_transfer {
namespace {

using test::Dent;

Patch patch_of(const Scene& scene, double most_scale = 1) { return read_patch(geometries_of(scene)[0], most_scale); }

TEST(Patch, ASmallGeometryIsReadAtItsOwnSize) {
  Dent d({600, 500}, {300, 250}, 40);
  const Patch p = patch_of(d.scene);
  EXPECT_NEAR(p.scale, 1, 0.02);
  EXPECT_LT(p.area.width, 200);
  EXPECT_GT(p.area.width, 80 + 2 * 24);
  EXPECT_NEAR(cv::sum(p.mask)[0], CV_PI * 40 * 40, 200);
}

TEST(Patch, ALargeOneIsReadSmall) {
  Dent d({3000, 2900}, {1500, 1450}, 1200);
  const Patch p = patch_of(d.scene);
  EXPECT_LT(p.mask.total(), 200000u);
  EXPECT_NEAR(cv::sum(p.mask)[0] / (p.scale * p.scale), CV_PI * 1200 * 1200, 5e4);
}

/// A crack across a large photograph is a few pixels wide. It would vanish at the size that is enough for a large dent.
TEST(Patch, AThinOneKeepsItsPixels) {
  Dent d({3000, 2000}, {1500, 1000}, 10);
  d.mask.pixels().setTo(0);
  cv::line(d.mask.pixels(), {100, 150}, {2900, 1800}, 1, 15);
  const Patch p = patch_of(d.scene);
  EXPECT_GT(p.scale, 0.35);
  EXPECT_LT(p.mask.total(), 1000000u);
}

/// Quarter turns move whole pixels: the layers turn with the geometry.
TEST(Patch, LayersTurnWithTheGeometry) {
  Dent d({200, 200}, {100, 100}, 20);
  const Patch p = patch_of(d.scene);
  GeometryLayers l;
  l.shade = cv::Mat::zeros(p.mask.size(), CV_32FC1), l.light = l.shade.clone(), l.own = l.shade.clone();
  const int x = 110 - p.area.x, y = 100 - p.area.y;  // ten pixels to the right of the middle
  l.shade.at<float>(y, x) = -1;
  Placement quarter;
  quarter.rotation = 90;
  const GeometryLayers out = place_layers(l, p, affine_of(quarter, {100, 100}), {0, 0, 200, 200}, {200, 200});
  EXPECT_NEAR(out.shade.at<float>(89, 100), -1, 1e-4);  // ten pixels up
}

}  // namespace
}  // namespace geometry_transfer
