// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/preview.h"

#include <gtest/gtest.h>

#include "geometry-transfer/error.h"
#include "image/image_pipeline.h"
#include "image/placement.h"
#include "scene_on_mats.h"

namespace geometry_transfer {
namespace {

using test::Dent;

/// Returns Instant's result over the preview's area, flattened, 8 bit.
cv::Mat flattened(const Dent& d, const Request& request, const Preview::View& view) {
  const WorkingImages v = read_working_images(d.scene, request, 256, 8);
  const Layer layer = composite(v, edit(v, request), request);
  cv::Mat canvas;
  cv::cvtColor(const_cast<Dent&>(d).target.pixels(), canvas, cv::COLOR_RGBA2RGB);
  for (int y = 0; y < layer.area.height; ++y)
    for (int x = 0; x < layer.area.width; ++x) {
      const float* p = &layer.rgba[4 * (std::size_t(y) * layer.area.width + x)];
      cv::Vec3f& q = canvas.at<cv::Vec3f>(layer.area.y + y, layer.area.x + x);
      for (int c = 0; c < 3; ++c) q[c] += p[3] * (p[c] - q[c]);
    }
  cv::Mat part = canvas(cv::Rect(view.area.x, view.area.y, view.area.width, view.area.height)), out;
  cv::resize(part, out, {view.size.width, view.size.height}, 0, 0, cv::INTER_AREA);
  out.convertTo(out, CV_8UC3, 255);
  return out;
}

cv::Mat picture(const Preview::View& v) {
  return cv::Mat(v.size.height, v.size.width, CV_8UC3, const_cast<unsigned char*>(v.rgb.data())).clone();
}

double mean_difference(const cv::Mat& a, const cv::Mat& b) {
  cv::Mat d;
  cv::absdiff(a, b, d);
  const cv::Scalar m = cv::mean(d);
  return (m[0] + m[1] + m[2]) / 3;
}

TEST(Preview, FitsTheBoundsAndShowsTheSelectionWithRoom) {
  Dent d({2000, 1500}, {900, 700}, 100);
  const auto preview = make_preview(d.scene, {400, 300});
  const Preview::View& v = preview->target();
  EXPECT_LE(v.size.width, 400);
  EXPECT_LE(v.size.height, 300);
  EXPECT_GE(v.size.width, 390);
  EXPECT_EQ(v.rgb.size(), std::size_t(v.size.width) * v.size.height * 3);
  EXPECT_LT(v.area.y, 600 - 60);
  EXPECT_GT(v.area.bottom(), 800 + 60);
}

TEST(Preview, LooksLikeTheResult) {
  for (const Colour colour : {Colour::shading, Colour::surround, Colour::mean}) {
    Dent d({1200, 900}, {500, 400}, 100);
    const auto preview = make_preview(d.scene, {400, 300});
    Request request;
    request.colour = colour;
    for (const double shift : {0.0, 60.0}) {
      request.placement.shift_x = shift;
      request.placement.rotation = shift;
      const cv::Mat shown = picture(preview->render(request)), truth = flattened(d, request, preview->target());
      const cv::Mat bare = picture(preview->target());
      EXPECT_LT(mean_difference(shown, truth), 0.25 * mean_difference(bare, truth)) << int(colour) << ' ' << shift;
    }
  }
}

/// The preview splits the reference at another size than the result. Both must look alike.
TEST(Preview, LooksLikeTheResultAtEveryScale) {
  Dent d({1200, 900}, {500, 400}, 100);
  const auto preview = make_preview(d.scene, {400, 300});
  for (const double feather : {0.0, 2.0, 30.0})
    for (const double scale : {0.71, 0.9, 1.0, 1.2, 1.45}) {
      Request request;
      request.feather = feather, request.grow = -3, request.placement.scale = scale;
      request.show_through = scale > 1 ? 0.5 : 0;
      const cv::Mat shown = picture(preview->render(request)), truth = flattened(d, request, preview->target());
      EXPECT_LT(mean_difference(shown, truth), 0.25 * mean_difference(picture(preview->target()), truth))
          << feather << ' ' << scale;
    }
}

/// A dent with a bright right side is lit anew when it is turned. The preview must show that, too.
TEST(Preview, IsLitAsTheResult) {
  Dent d({400, 300}, {200, 150}, 50);
  test::stone({400, 300}, {0.5, 0.45, 0.4}, 0.02, 1).copyTo(d.source.pixels());
  for (int y = 0; y < 300; ++y)
    for (int x = 0; x < 400; ++x) {
      const double u = (x - 200) / 22.0, v = (y - 150) / 22.0, depth = std::exp(-u * u - v * v);
      cv::Vec4f& p = d.source.pixels().at<cv::Vec4f>(y, x);
      for (int c = 0; c < 3; ++c) p[c] *= float(std::exp(0.9 * depth * u - 0.25 * depth));
    }
  const auto preview = make_preview(d.scene, {400, 300});
  Request turned, along;
  turned.placement.rotation = along.placement.rotation = along.turn_light = 180;
  const cv::Mat shown = picture(preview->render(turned));
  EXPECT_GT(std::hypot(preview->decided().light_x, preview->decided().light_y), 0.5);
  const cv::Mat truth = flattened(d, turned, preview->target()), other = flattened(d, along, preview->target());
  EXPECT_LT(mean_difference(shown, truth), 0.3 * mean_difference(shown, other));
}

TEST(Preview, FollowsTheDragAndComesBack) {
  Dent d({1200, 900}, {500, 400}, 100);
  const auto preview = make_preview(d.scene, {400, 300});
  Request request;
  const cv::Mat start = picture(preview->render(request));
  request.placement.shift_x = 40, request.placement.scale = 1.3, request.grow = 5, request.show_through = 1;
  EXPECT_GT(mean_difference(picture(preview->render(request)), start), 1);
  EXPECT_EQ(mean_difference(picture(preview->render({})), start), 0);
}

TEST(Preview, APlacementOutsideTheTargetIsTheBareTarget) {
  Dent d({600, 600}, {300, 300}, 60);
  const auto preview = make_preview(d.scene, {400, 300});
  Request request;
  request.placement.shift_x = 50000;
  EXPECT_EQ(mean_difference(picture(preview->render(request)), picture(preview->target())), 0);
}

/// The geometry is shown where it was placed in the last run or by hand, not where it is in the reference.
TEST(Preview, ShowsTheGeometryWhereItIsPlaced) {
  Dent d({3000, 2000}, {300, 300}, 60);
  Request request;
  request.placement.shift_x = 2000, request.placement.shift_y = 1000;
  const auto preview = make_preview(d.scene, {400, 300}, request.placement);
  const Rect area = preview->target().area;
  EXPECT_NEAR(area.x + area.width / 2.0, 2300, 5);
  EXPECT_NEAR(area.y + area.height / 2.0, 1300, 5);
  EXPECT_GT(mean_difference(picture(preview->render(request)), picture(preview->target())), 0.2);
}

/// A negative Grow can remove a thin selection while the slider moves. The next value brings it back.
TEST(Preview, ASelectionThatIsGoneIsTheBareTarget) {
  Dent d({600, 600}, {300, 300}, 30);
  const auto preview = make_preview(d.scene, {400, 300});
  Request request;
  request.grow = -50;
  EXPECT_EQ(mean_difference(picture(preview->render(request)), picture(preview->target())), 0);
  EXPECT_GT(mean_difference(picture(preview->render({})), picture(preview->target())), 0.2);
}

TEST(Preview, WorksOnExtremes) {
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(5, 400), cv::Size(3000, 20)}) {
    Dent d(size, {size.width / 2.0, size.height / 2.0}, 12);
    const auto preview = make_preview(d.scene, {400, 300});
    const Preview::View& v = preview->render({});
    EXPECT_EQ(v.rgb.size(), std::size_t(v.size.width) * v.size.height * 3);
    EXPECT_GT(v.rgb.size(), 0u);
  }
}

TEST(Preview, ALargeReferenceIsReadSmall) {
  Dent d({3000, 2000}, {1500, 1000}, 800);
  make_preview(d.scene, {400, 300});
  EXPECT_LT(d.source.most_read, 1000000);
  EXPECT_LT(d.target.most_read, 1000000);
}

}  // namespace
}  // namespace geometry_transfer
