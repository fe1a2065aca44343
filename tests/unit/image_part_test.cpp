// SPDX-License-Identifier: GPL-3.0-or-later
/// Tests the image part as a host loads it, by its soname.
#include <gtest/gtest.h>

#include "geometry-transfer/error.h"
#include "scene_on_mats.h"

namespace geometry_transfer {
namespace {

using test::Dent;

TEST(ImagePart, EditsAndReports) {
  Dent d({500, 400}, {250, 200}, 40);
  Report report;
  std::vector<Stage> stages;
  double last = 0;
  const Layer layer = image_part().edit(
      d.scene, {},
      [&](const Progress& p) {
        stages.push_back(p.stage);
        EXPECT_GE(p.fraction, last);
        last = p.fraction;
        return true;
      },
      report);
  EXPECT_EQ(last, 1);
  EXPECT_EQ(layer.rgba.size(), std::size_t(layer.area.width) * layer.area.height * 4);
  EXPECT_EQ(report.stages.size(), 3u);
  EXPECT_GT(report.seconds, 0);
  EXPECT_GT(report.peak_memory, 1u << 20);
  EXPECT_GT(report.mask_share, 0.03);
  EXPECT_GE(report.threads, 1);
  EXPECT_EQ(report.working.width, 0);
  EXPECT_TRUE(report.model.empty());
}

TEST(ImagePart, HasTheThreadsThatAreAskedFor) {
  Dent d({200, 160}, {100, 80}, 20);
  Request one;
  one.threads = 1;
  Report report;
  image_part().edit(d.scene, one, {}, report);
  EXPECT_EQ(report.threads, 1);
  EXPECT_EQ(cv::getNumThreads(), 1);
  image_part().edit(d.scene, {}, {}, report);
  EXPECT_EQ(cv::getNumThreads(), report.threads);
}

TEST(ImagePart, CancelsAtEveryStage) {
  Dent d({500, 400}, {250, 200}, 40);
  for (int at = 0; at < 3; ++at) {
    Report report;
    int calls = 0;
    EXPECT_THROW(image_part().edit(
                     d.scene, {}, [&](const Progress&) { return calls++ < at; }, report),
                 Cancelled)
        << at;
  }
}

TEST(ImagePart, ErrorsCrossTheLibraryBorder) {
  Dent d({500, 400}, {250, 200}, 40);
  Scene scene = d.scene;
  scene.references.clear();
  Report report;
  EXPECT_THROW(image_part().edit(scene, {}, nullptr, report), Error);
  EXPECT_THROW(image_part().preview(scene, {400, 300}), Error);
  Request wild;
  wild.feather = -1;
  EXPECT_THROW(image_part().edit(d.scene, wild, nullptr, report), Error);
}

TEST(ImagePart, TheSameEveryTime) {
  Dent d({500, 400}, {250, 200}, 40);
  Report report;
  Request request;
  request.placement.rotation = 33, request.placement.scale = 0.8;
  EXPECT_EQ(image_part().edit(d.scene, request, nullptr, report).rgba, image_part().edit(d.scene, request, nullptr, report).rgba);
}

}  // namespace
}  // namespace geometry_transfer
