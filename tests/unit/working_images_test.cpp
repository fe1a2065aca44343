// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "address_limit.h"
#include "geometry-transfer/error.h"
#include "image/image_pipeline.h"
#include "image/scene.h"
#include "image/working_area.h"
#include "request/memory.h"
#include "scene_on_mats.h"

namespace geometry_transfer {
namespace {

using test::Dent;
using test::MatRaster;

std::string refusal(const Scene& scene, const Request& request = {}) {
  try {
    read_working_images(scene, request, 256, 8);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), Error::Kind::input);
    return e.what();
  }
  return "";
}

void expect_says(const std::string& message, std::initializer_list<const char*> words) {
  for (const char* word : words)
    EXPECT_NE(message.find(word), std::string::npos) << '"' << message << "\" lacks \"" << word << '"';
}

bool inside(const Rect& inner, const Rect& outer) { return intersect(inner, outer) == inner; }

TEST(WorkingArea, TheSelectionTakesItsShare) {
  Request request;
  for (const double share : {0.2, 0.35, 0.6}) {
    request.context = share;
    const WorkingArea a = working_area({1000, 1000, 200, 120}, {0, 0, 4000, 3000}, request, 256, 8);
    EXPECT_EQ(a.rect.width, a.rect.height);
    EXPECT_NEAR(200.0 / a.rect.width, share, 0.01);
    EXPECT_EQ(a.model.width, 256);
    EXPECT_EQ(a.model.height, 256);
  }
}

TEST(WorkingArea, StaysInsideTheTargetAndHoldsTheSelection) {
  cv::RNG random(3);
  for (int i = 0; i < 500; ++i) {
    const Rect target{random.uniform(-500, 500), random.uniform(-500, 500), random.uniform(1, 3000), random.uniform(1, 3000)};
    const Rect box = intersect(
        {random.uniform(-800, 3000), random.uniform(-800, 3000), random.uniform(1, 2500), random.uniform(1, 2500)}, target);
    if (box.empty()) continue;
    const WorkingArea a = working_area(to_rect2d(box), target, {}, 512, 64);
    EXPECT_TRUE(inside(a.rect, target)) << i;
    EXPECT_TRUE(inside(box, a.rect)) << i;
    EXPECT_EQ(std::max(a.model.width, a.model.height), 512);
    EXPECT_EQ(a.model.width % 64, 0);
    EXPECT_EQ(a.model.height % 64, 0);
    EXPECT_GE(std::min(a.model.width, a.model.height), 64);
  }
}

/// Grow and feather reach beyond the selection's box. The rectangle holds all of it, with and without a model.
TEST(WorkingArea, HoldsWhatGrowAndFeatherReach) {
  const Rect target{0, 0, 3000, 3000}, box{1000, 1200, 300, 200};
  for (const int side : {0, 256})
    for (const auto& [grow, feather] : {std::pair(0, 0), std::pair(200, 0), std::pair(0, 200), std::pair(150, 250)}) {
      Request request;
      request.context = 1;
      request.grow = grow, request.feather = feather;
      const int reach = grow + feather;
      const Rect all{box.x - reach, box.y - reach, box.width + 2 * reach, box.height + 2 * reach};
      const Rect rect = working_area(to_rect2d(box), target, request, side, 8).rect;
      EXPECT_TRUE(inside(all, rect)) << side << ' ' << grow << ' ' << feather;
      EXPECT_LT(rect.width, all.width + 2 * 130);
    }
}

TEST(WorkingArea, ATinySelectionIsNotBlownUpBeyondFour) {
  const WorkingArea a = working_area({500, 500, 3, 2}, {0, 0, 1000, 1000}, {}, 256, 8);
  EXPECT_GE(a.rect.width, 64);
  EXPECT_TRUE(inside({500, 500, 3, 2}, a.rect));
}

TEST(WorkingArea, ASmallerWorkingSizeLeavesTheRectangle) {
  Request request;
  const auto area = [&](double size) {
    request.working_size = size;
    return working_area({500, 500, 90, 20}, {0, 0, 2000, 700}, request, 256, 16);
  };
  const WorkingArea whole = area(1), less = area(0.75), tiny = area(0.25), more = area(2);
  EXPECT_EQ(less.rect, whole.rect);
  EXPECT_EQ(tiny.rect, whole.rect);
  EXPECT_EQ(less.model.width, 192);
  EXPECT_EQ(less.model.height, 192);
  EXPECT_EQ(tiny.model.width, 64);
  EXPECT_EQ(more.model.width, 512);
}

TEST(WorkingArea, AHugeRectangleIsViewedSmaller) {
  EXPECT_EQ(view_size({0, 0, 2048, 2048}), cv::Size(2048, 2048));
  const cv::Size view = view_size({0, 0, 10000, 10000});
  EXPECT_LE(view.area(), 8000000);
  EXPECT_EQ(view.width, view.height);
}

TEST(WorkingImages, IdentityShowsTheReferenceAsItIs) {
  Dent d({320, 240}, {150, 120}, 40);
  const WorkingImages v = read_working_images(d.scene, {}, 256, 8);
  ASSERT_EQ(v.geometries.size(), 1u);
  const Rect& r = v.area.rect;
  cv::Mat there;
  cv::cvtColor(d.source.pixels()(cv::Rect(r.x, r.y, r.width, r.height)), there, cv::COLOR_RGBA2RGB);
  EXPECT_EQ(test::largest_difference(v.geometries[0].placed, there), 0);
  EXPECT_EQ(test::largest_difference(v.geometries[0].placed_mask, d.mask.pixels()(cv::Rect(r.x, r.y, r.width, r.height))), 0);
  EXPECT_EQ(test::largest_difference(v.mask, v.geometries[0].placed_mask), 0);
  EXPECT_NEAR(v.area.mask_share, cv::sum(d.mask.pixels())[0] / (double(r.width) * r.height), 1e-6);
}

TEST(WorkingImages, AShiftMovesWhatIsPlacedAndNotTheSource) {
  Dent d({600, 600}, {200, 200}, 30);
  d.source.pixels().setTo(cv::Scalar(0, 0, 0, 1));
  cv::circle(d.source.pixels(), {200, 200}, 30, cv::Scalar(1, 1, 1, 1), cv::FILLED);
  Request request;
  request.placement.shift_x = 150, request.placement.shift_y = 100;
  request.correction = 1;
  request.output_reads = Stream::source | Stream::target;
  const WorkingImages v = read_working_images(d.scene, request, 256, 8);
  const auto moments = [](const cv::Mat& rgb) {
    cv::Mat one;
    cv::extractChannel(rgb, one, 0);
    return cv::moments(one);
  };
  const cv::Moments m = moments(v.geometries[0].placed), s = moments(v.geometries[0].source);
  EXPECT_NEAR(v.area.rect.x + m.m10 / m.m00, 350, 0.01);
  EXPECT_NEAR(v.area.rect.y + m.m01 / m.m00, 300, 0.01);
  EXPECT_NEAR(s.m10 / s.m00, v.area.rect.width / 2.0, 1);
  EXPECT_NEAR(s.m01 / s.m00, v.area.rect.height / 2.0, 1);
  EXPECT_NEAR(s.m00, m.m00, 0.01);
}

/// The source is not moved, but it is seen at the scale of its placement. So a model reads both at the same size.
TEST(WorkingImages, TheSourceHasTheScaleOfItsPlacement) {
  for (const double scale : {0.5, 1.0, 2.0}) {
    Dent d({900, 900}, {450, 450}, 30);
    d.source.pixels().setTo(cv::Scalar(0, 0, 0, 1));
    cv::circle(d.source.pixels(), {450, 450}, 30, cv::Scalar(1, 1, 1, 1), cv::FILLED);
    Request request;
    request.placement.scale = scale, request.placement.rotation = 40;
    request.correction = 1;
    request.output_reads = Stream::source | Stream::target;
    const WorkingImages v = read_working_images(d.scene, request, 256, 8);
    const double disc = cv::sum(d.source.pixels())[0] * scale * scale;
    EXPECT_NEAR(cv::sum(v.geometries[0].source)[0] / disc, 1, 0.02) << scale;
    EXPECT_NEAR(cv::sum(v.geometries[0].placed)[0] / disc, 1, 0.02) << scale;
  }
}

TEST(WorkingImages, WhatIsMovedByWholePixelsIsReadAlone) {
  Dent d({600, 600}, {200, 200}, 30);
  Request request;
  request.placement.shift_x = 60;
  const Rect r = read_working_images(d.scene, request, 256, 8).area.rect;
  EXPECT_EQ(d.target.most_read, r.width * r.height);
  EXPECT_EQ(d.source.most_read, r.width * r.height);
  request.placement.shift_x = 60.5;
  read_working_images(d.scene, request, 256, 8);
  EXPECT_GT(d.source.most_read, r.width * r.height) << "and with what lies round it where it is interpolated";
}

TEST(WorkingImages, WhatOnlyAModelLooksAtIsReadForOne) {
  Dent d({600, 600}, {200, 200}, 30), other({300, 300}, {100, 100}, 20);
  d.scene.references.push_back({&other.source, nullptr, Reference::Role::texture, {}, 1});
  Request request;
  request.placement.rotation = 30;
  request.correction = 1;
  const auto read = [&] { return read_working_images(d.scene, request, 256, 8); };
  EXPECT_TRUE(read().geometries[0].source.empty()) << "attention looks at the edited geometry";
  EXPECT_EQ(read().textures.size(), 1u);
  request.output_reads = Stream::source | Stream::target;
  EXPECT_EQ(read().geometries[0].source.size(), read().view);
  request.correction = 0;
  EXPECT_TRUE(read().geometries[0].source.empty());
  EXPECT_TRUE(read().textures.empty());
}

/// Half transparent pixels keep their own colours, down to the finest detail.
TEST(WorkingImages, HalfTransparentPixelsKeepTheirDetail) {
  Dent solid({300, 240}, {150, 120}, 30), half({300, 240}, {150, 120}, 30);
  for (MatRaster* layer : {&half.target, &half.source})
    for (int y = 0; y < layer->pixels().rows; ++y)
      for (int x = 0; x < layer->pixels().cols; ++x) layer->pixels().at<cv::Vec4f>(y, x)[3] = 0.5f;
  const WorkingImages a = read_working_images(solid.scene, {}, 256, 8), b = read_working_images(half.scene, {}, 256, 8);
  EXPECT_LT(cv::norm(a.target, b.target, cv::NORM_INF), 1e-4);
  EXPECT_LT(cv::norm(a.geometries[0].placed, b.geometries[0].placed, cv::NORM_INF), 1e-4);
}

TEST(WorkingImages, AReferenceOfAnotherSizeAndPlaceThanTheTarget) {
  MatRaster source(test::stone({200, 150}, {0.5, 0.5, 0.5}, 0.05, 3), 900, -40),
      mask(test::disc({60, 60}, {30, 30}, 20), 950, 10);
  MatRaster target(test::stone({800, 500}, {0.3, 0.3, 0.3}, 0.05, 4), 100, 100);
  Scene scene;
  scene.target = &target;
  scene.references = {{&source, &mask, Reference::Role::geometry, {}, 1}};
  EXPECT_NE(refusal(scene), "");
  Request request;
  request.placement.shift_x = -500, request.placement.shift_y = 300;
  const WorkingImages v = read_working_images(scene, request, 256, 8);
  EXPECT_TRUE(inside(v.area.rect, target.extent()));
  EXPECT_NEAR(cv::sum(v.mask)[0], cv::sum(mask.pixels())[0], 1e-3);
  EXPECT_TRUE(cv::checkRange(v.geometries[0].placed, true, nullptr, 0, 1));
}

TEST(WorkingImages, ASelectionPartlyOutsideTheTargetIsCut) {
  Dent d({400, 400}, {380, 200}, 40, {400, 400});
  const WorkingImages v = read_working_images(d.scene, {}, 256, 8);
  EXPECT_TRUE(inside(v.area.rect, d.target.extent()));
  EXPECT_EQ(v.area.rect.right(), 400);
}

TEST(WorkingImages, SmallAndNarrowPictures) {
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(7, 3), cv::Size(400, 9), cv::Size(5, 300)}) {
    Dent d(size, {size.width / 2.0, size.height / 2.0}, 20);
    const WorkingImages v = read_working_images(d.scene, {}, 256, 8);
    const cv::Mat edited = edit(v, {});
    EXPECT_TRUE(cv::checkRange(edited)) << size;
    EXPECT_EQ(edited.size(), cv::Size(v.area.rect.width, v.area.rect.height));
    EXPECT_FALSE(composite(v, edited, {}).rgba.empty());
  }
}

TEST(WorkingImages, ALargeRectangleReadsTheReferenceAtTheViewsSize) {
  Dent d({3000, 2900}, {1500, 1450}, 1000);
  const WorkingImages v = read_working_images(d.scene, {}, 256, 8);
  EXPECT_EQ(v.target.size(), cv::Size(3000, 2900));
  EXPECT_LE(v.view.area(), 8000000);
  EXPECT_EQ(v.geometries[0].placed.size(), v.view);
  EXPECT_EQ(edit(v, {}).size(), v.target.size());
}

TEST(WorkingImages, SeveralReferencesAndTexturesEachInTheirPlace) {
  Dent a({600, 600}, {200, 200}, 30), b({300, 300}, {100, 100}, 20);
  MatRaster texture(test::stone({128, 128}, {0.3, 0.5, 0.6}, 0.05, 5), -300, 0);
  Scene scene = a.scene;
  scene.references.push_back(b.scene.references[0]);
  scene.references[1].placement.shift_x = 250;
  scene.references[1].weight = 0.5;
  scene.references.push_back({&texture, nullptr, Reference::Role::texture, {}, 2});
  Request request;
  request.correction = 1;
  const WorkingImages v = read_working_images(scene, request, 256, 8);
  ASSERT_EQ(v.geometries.size(), 2u);
  ASSERT_EQ(v.textures.size(), 1u);
  EXPECT_EQ(v.geometries[1].weight, 0.5);
  EXPECT_EQ(v.textures[0].weight, 2);
  EXPECT_EQ(v.textures[0].pixels.size(), v.view);
  EXPECT_NEAR(cv::sum(v.mask)[0], cv::sum(a.mask.pixels())[0] + cv::sum(b.mask.pixels())[0], 2);
  // Both turn together: half a turn puts the second on the other side of the first, at the same distance.
  Request half;
  half.placement.rotation = 180;
  const WorkingImages turned = read_working_images(scene, half, 256, 8);
  const auto centre = [](const WorkingImages& w, int i) {
    const cv::Moments m = cv::moments(w.geometries[i].placed_mask);
    return cv::Point2d(w.area.rect.x + m.m10 / m.m00, w.area.rect.y + m.m01 / m.m00);
  };
  const cv::Point2d before = centre(v, 1) - centre(v, 0), after = centre(turned, 1) - centre(turned, 0);
  EXPECT_NEAR(before.x, -after.x, 1.5);
  EXPECT_NEAR(before.y, -after.y, 1.5);
}

/// A layer or a selection of any size that takes no memory.
class Endless : public Raster {
 public:
  Endless(int channels, int side) : channels_(channels), side_(side) {}
  int channels() const override { return channels_; }
  Rect extent() const override { return {0, 0, side_, side_}; }
  void read(const Rect&, Size size, float* out) const override {
    std::fill(out, out + std::size_t(size.width) * size.height * channels_, 1.f);
  }

 private:
  int channels_, side_;
};

TEST(WorkingImages, WhatCannotFitIsRefusedBeforeItIsTaken) {
  const Endless colour(4, 200000), mask(1, 200000);
  Scene scene;
  scene.target = &colour;
  scene.references.resize(1);
  scene.references[0].colour = &colour, scene.references[0].mask = &mask;
  const std::uint64_t before = peak_memory();
  try {
    read_working_images(scene, {}, 256, 8);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), Error::Kind::system);
    expect_says(e.what(), {"200000 x 200000", "GB are free", "smaller selection"});
  }
  EXPECT_LT(peak_memory() - before, 50u << 20);
}

/// The planes of all references exist at once, so the estimate includes each.
TEST(WorkingImages, ManyReferencesAreWeighedTogether) {
  if (test::kShadowed) GTEST_SKIP();
  const Endless colour(4, 700), mask(1, 700);
  Scene scene;
  scene.target = &colour;
  scene.references.assign(1, {&colour, &mask, Reference::Role::geometry, {}, 1});
  const test::Addresses limit(400 << 20);
  EXPECT_EQ(refusal(scene), "");
  scene.references.resize(20, scene.references[0]);
  try {
    read_working_images(scene, {}, 256, 8);
    FAIL();
  } catch (const Error& e) {
    expect_says(e.what(), {"700 x 700", "GB are free"});
  }
}

TEST(WorkingImages, ATargetWithoutPixelsThereIsRefused) {
  Dent d({300, 240}, {150, 120}, 30);
  cv::Mat& target = d.target.pixels();
  target(cv::Rect(100, 70, 100, 100)).setTo(cv::Scalar(0.2, 0.2, 0.2, 0));
  expect_says(refusal(d.scene), {"transparent", "60 x 60 pixels at 120, 90"});
  target.at<cv::Vec4f>(120, 150)[3] = 1;  // a single visible pixel is enough
  EXPECT_EQ(refusal(d.scene), "");
}

TEST(WorkingImages, RefusalsSayWhatAndHow) {
  Dent d({200, 200}, {100, 100}, 30);
  Scene none;
  expect_says(refusal(none), {"target"});
  none.target = &d.target;
  expect_says(refusal(none), {"reference", "choose"});
  const MatRaster empty(cv::Mat::zeros(200, 200, CV_32FC1));
  Scene nothing = d.scene;
  nothing.references[0].mask = &empty;
  expect_says(refusal(nothing), {"Nothing is selected", "select"});
  const MatRaster elsewhere(test::disc({50, 50}, {25, 25}, 10), 700, 800);
  Scene outside = d.scene;
  outside.references[0].mask = &elsewhere;
  expect_says(refusal(outside), {"20 x 20", "715, 815", "200 x 200"});
  Request far;
  far.placement.shift_x = 5000;
  expect_says(refusal(d.scene, far), {"5070, 70", "0, 0 to 200, 200", "shift"});
  Request shrunk;
  shrunk.grow = -100;
  expect_says(refusal(d.scene, shrunk), {"Grow selection: -100 pixels"});
  MatRaster gray(cv::Mat(10, 10, CV_32FC1, cv::Scalar(1)));
  Scene swapped = d.scene;
  swapped.target = &gray;
  expect_says(refusal(swapped), {"1 channels", "4"});
}

}  // namespace
}  // namespace geometry_transfer
