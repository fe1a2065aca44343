// SPDX-License-Identifier: GPL-3.0-or-later
/// Tests the parts of a data set: draws, places, labels, outlines.
#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "cli/dataset/label.h"
#include "cli/dataset/measure.h"
#include "cli/dataset/outline.h"
#include "cli/dataset/place.h"
#include "cli/dataset/spread.h"
#include "geometry-transfer/error.h"

using namespace geometry_transfer;
using namespace geometry_transfer::cli;

namespace {

cv::Mat grainy(int rows, int cols, double level, double grain, int seed) {
  cv::Mat gray(rows, cols, CV_32FC1), rgb;
  cv::RNG random(seed);
  random.fill(gray, cv::RNG::NORMAL, level, grain);
  cv::merge(std::vector<cv::Mat>{gray, gray, gray}, rgb);
  return rgb;
}

cv::Mat darkened(const cv::Mat& target, const cv::Mat& where, double factor) {
  cv::Mat dark = target * factor, out = target.clone();
  dark.copyTo(out, where);
  return out;
}

double overlap(const cv::Mat& a, const cv::Mat& b) {
  return cv::countNonZero(a & b) / static_cast<double>(cv::countNonZero(a | b));
}

/// A mask raster over a Mat.
class Mask : public Raster {
 public:
  explicit Mask(cv::Mat coverage) : coverage_(std::move(coverage)) {}
  int channels() const override { return 1; }
  Rect extent() const override { return {0, 0, coverage_.cols, coverage_.rows}; }
  void read(const Rect& area, Size size, float* out) const override {
    cv::Mat to(size.height, size.width, CV_32FC1, out);
    coverage_(cv::Rect(area.x, area.y, area.width, area.height)).copyTo(to);
  }

 private:
  cv::Mat coverage_;
};

TEST(Random, depends_on_seed_and_place_alone) {
  EXPECT_EQ(Random(1, {2, 3}).next(), Random(1, {2, 3}).next());
  EXPECT_NE(Random(1, {2, 3}).next(), Random(1, {3, 2}).next());
  EXPECT_NE(Random(1, {2, 3}).next(), Random(2, {2, 3}).next());
  Random random(7);
  double sum = 0;
  for (int i = 0; i < 10000; ++i) sum += random.unit();
  EXPECT_NEAR(sum / 10000, 0.5, 0.02);
}

TEST(Random, picks_by_weight) {
  Random random(3);
  std::vector<int> seen(4, 0);
  for (int i = 0; i < 8000; ++i) ++seen[random.pick({1, 0, 3, 0})];
  EXPECT_EQ(seen[1] + seen[3], 0);
  EXPECT_NEAR(seen[2] / 8000.0, 0.75, 0.03);
}

Spreads spreads_of(const char* name, const char* text) { return Spreads(Settings{{name, text}}); }

TEST(Spreads, draw_within_the_range_and_refuse_what_the_table_refuses) {
  const Spreads spreads(Settings{{"scale", "0.5..2"}, {"flip", "random"}, {"rotation", "10"}});
  Random random(1);
  int flipped = 0;
  for (int i = 0; i < 200; ++i) {
    const Request request = with_settings({}, spreads.draw(random));
    EXPECT_GE(request.placement.scale, 0.5);
    EXPECT_LE(request.placement.scale, 2);
    EXPECT_EQ(request.placement.rotation, 10);
    flipped += request.placement.flip;
  }
  EXPECT_GT(flipped, 60);
  EXPECT_LT(flipped, 140);
  EXPECT_THROW(spreads_of("scale", "2..0.5"), Error);
  EXPECT_THROW(spreads_of("scale", "-3..1"), Error);
  EXPECT_THROW(spreads_of("flip", "perhaps"), Error);
}

TEST(Footprint, lies_where_the_placement_puts_the_mask) {
  cv::Mat mask = cv::Mat::zeros(40, 60, CV_32FC1);
  mask(cv::Rect(10, 18, 40, 4)).setTo(1);  // a horizontal bar
  const Mask raster(mask);
  const cv::Point2d centre(30, 20);
  const Footprint lies = footprint_of(raster, centre, {}, 0);
  EXPECT_NEAR(lies.covered.cols, 40, 2);
  EXPECT_NEAR(lies.covered.rows, 4, 2);
  Placement turned;
  turned.rotation = 90;
  turned.scale = 2;
  const Footprint stands = footprint_of(raster, centre, turned, 3);
  EXPECT_NEAR(stands.covered.cols, 2 * 4 + 6, 3);
  EXPECT_NEAR(stands.covered.rows, 2 * 40 + 6, 3);
  EXPECT_NEAR(stands.centre.y, stands.covered.rows / 2.0, 2);
  // Counter-clockwise as seen, so the right end of the bar goes up.
  mask.setTo(0);
  mask(cv::Rect(30, 18, 30, 4)).setTo(1);
  turned.scale = 1;
  const Footprint up = footprint_of(Mask(mask), {30, 20}, turned, 0);
  EXPECT_GT(up.centre.y, up.covered.rows - 4);
}

TEST(FreeArea, keeps_off_what_is_not_free) {
  cv::Mat place = cv::Mat::zeros(100, 100, CV_8UC1), used = cv::Mat::zeros(100, 100, CV_8UC1);
  place(cv::Rect(0, 0, 60, 100)).setTo(255);
  FreeArea area({100, 100}, place, {}, 5);
  const Footprint f{cv::Mat(10, 10, CV_8UC1, cv::Scalar(255)), {5, 5}};
  Random random(1);
  int placed = 0;
  while (const auto at = area.draw(f, random)) {
    const cv::Rect r(*at - f.centre, f.covered.size());
    EXPECT_GE(r.x, 5);
    EXPECT_LE(r.br().x, 60);
    EXPECT_GE(r.y, 5);
    EXPECT_LE(r.br().y, 95);
    const cv::Rect wide = cv::Rect(r.x - 6, r.y - 6, 22, 22) & cv::Rect(0, 0, 100, 100);
    EXPECT_LT(cv::countNonZero(used(wide)), 12) << "nearer than 7 pixels";  // corners are rounded
    used(r).setTo(255);
    area.take(f, *at, 7);
    ASSERT_LT(++placed, 40);
  }
  EXPECT_GT(placed, 5);
  EXPECT_FALSE(FreeArea({8, 8}, {}, {}, 0).draw(f, random));
}

TEST(Label, is_the_geometry_itself) {
  const cv::Mat target = grainy(120, 160, 0.5, 0.03, 1);
  cv::Mat disc = cv::Mat::zeros(target.size(), CV_8UC1), support(target.size(), CV_32FC1, cv::Scalar(1));
  cv::circle(disc, {70, 60}, 20, 255, cv::FILLED);
  EXPECT_GT(overlap(visible_change(darkened(target, disc, 0.6), target, support), disc), 0.85);
  cv::Mat ring = disc.clone();
  cv::circle(ring, {70, 60}, 12, 0, cv::FILLED);  // the label fills the hole
  EXPECT_GT(overlap(visible_change(darkened(target, ring, 0.6), target, support), disc), 0.85);
  EXPECT_EQ(cv::countNonZero(visible_change(target, target, support)), 0);
  support.setTo(0);
  support(cv::Rect(0, 0, 70, 120)).setTo(1);
  const cv::Mat half = visible_change(darkened(target, disc, 0.6), target, support);
  EXPECT_GT(cv::countNonZero(half), 0);
  EXPECT_EQ(cv::countNonZero(half(cv::Rect(70, 0, 90, 120))), 0);
}

TEST(Label, keeps_a_thin_line_whole) {
  const cv::Mat target = grainy(120, 160, 0.5, 0.02, 2);
  cv::Mat line = cv::Mat::zeros(target.size(), CV_8UC1), names;
  cv::line(line, {10, 20}, {150, 100}, 255, 2);
  const cv::Mat label = visible_change(darkened(target, line, 0.6), target, cv::Mat::ones(target.size(), CV_32FC1));
  EXPECT_EQ(cv::connectedComponents(label, names, 8), 2);
  EXPECT_GT(cv::countNonZero(label & line), 0.97 * cv::countNonZero(line));
}

TEST(Label, asks_for_more_on_coarse_material) {
  cv::Mat disc = cv::Mat::zeros(120, 160, CV_8UC1);
  cv::circle(disc, {70, 60}, 20, 255, cv::FILLED);
  const cv::Mat all = cv::Mat::ones(disc.size(), CV_32FC1), fine = grainy(120, 160, 0.5, 0.01, 3),
                coarse = grainy(120, 160, 0.5, 0.25, 3);
  EXPECT_GT(cv::countNonZero(visible_change(darkened(fine, disc, 0.86), fine, all)), 800);
  EXPECT_LT(cv::countNonZero(visible_change(darkened(coarse, disc, 0.86), coarse, all)), 400);
}

TEST(Measures, tell_a_strong_defect_from_a_faint_one) {
  Change c;
  c.before = grainy(80, 80, 0.6, 0.02, 4);
  c.area = {10, 20, 80, 80};
  c.support = cv::Mat::ones(80, 80, CV_32FC1);
  c.label = cv::Mat::zeros(80, 80, CV_8UC1);
  c.label(cv::Rect(30, 30, 20, 20)).setTo(255);
  c.edited = darkened(c.before, c.label, 0.5);
  const Measures strong = measure_change(c, {200, 200});
  c.edited = darkened(c.before, c.label, 0.9);
  const Measures faint = measure_change(c, {200, 200});
  EXPECT_GT(strong.contrast, 0.25);
  EXPECT_LT(faint.contrast, 0.1);
  EXPECT_DOUBLE_EQ(strong.share, 400 / 40000.0);
  EXPECT_NEAR(strong.leak, 0, 1e-6);
  EXPECT_EQ(strong.border, 0);
  EXPECT_EQ(measure_change(c, {60, 200}).border, 1);  // the label ends at x = 60
  c.edited = darkened(c.before, cv::Mat::ones(80, 80, CV_8UC1) * 255, 0.9);
  EXPECT_GT(measure_change(c, {200, 200}).leak, 0.9);
  EXPECT_TRUE(Condition("contrast > 0.2").holds(strong));
  EXPECT_FALSE(Condition("contrast>0.2").holds(faint));
  EXPECT_TRUE(Condition("border<=0").holds(faint));
  for (const char* wrong : {"contrast", "contrast>", "contrast>x", ">1", "beauty>1"})
    EXPECT_THROW(Condition{wrong}, Error) << wrong;
}

TEST(Outline, run_lengths_as_coco_writes_them) {
  // Columns of a 4 x 5 picture with ones in rows 1-2 of columns 1-3. The runs are 5 2 2 2 2 2 5; from the fourth on
  // they are stored as differences.
  const cv::Mat mask(2, 3, CV_8UC1, cv::Scalar(255));
  EXPECT_EQ(run_lengths(mask, {1, 1, 3, 2}, {5, 4}), "5220003");
}

TEST(Outline, polygons_cover_what_the_mask_covers) {
  cv::Mat mask = cv::Mat::zeros(60, 80, CV_8UC1);
  cv::circle(mask, {30, 30}, 14, 255, cv::FILLED);
  cv::line(mask, {5, 55}, {75, 50}, 255, 2);
  const auto list = polygons(mask, 0.4);
  ASSERT_EQ(list.size(), 2u);
  double area = 0;
  for (const auto& polygon : list) {
    std::vector<cv::Point2f> points(polygon.begin(), polygon.end());
    area += cv::contourArea(points);
  }
  EXPECT_NEAR(area / cv::countNonZero(mask), 1, 0.12);
}

}  // namespace
