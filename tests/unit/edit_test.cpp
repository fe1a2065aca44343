// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/edit.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "image/mask.h"
#include "image/split_light.h"
#include "image/stages.h"
#include "scene_on_mats.h"
#include "weights/safetensors.h"

namespace geometry_transfer {
namespace {

using test::Dent;
using test::largest_difference;

/// Tensors of the reference implementation (tests/golden/README.md), NCHW to interleaved.
class Golden {
 public:
  Golden() : file_(open_safetensors(std::string(std::getenv("SOURCE")) + "/tests/golden/surface/golden.safetensors")) {}
  cv::Mat operator[](const std::string& name) const {
    const TensorView* t = file_->find(name);
    if (!t) throw std::runtime_error(name);
    const int n = int(t->shape.size()), height = int(t->shape[n - 2]), width = int(t->shape[n - 1]);
    const int channels = n == 4 ? int(t->shape[1]) : 1;
    std::vector<cv::Mat> planes;
    for (int c = 0; c < channels; ++c) {
      cv::Mat plane(height, width, CV_32FC1);
      std::memcpy(plane.data, t->data + plane.total() * 4 * c, plane.total() * 4);
      planes.push_back(plane);
    }
    cv::Mat out;
    cv::merge(planes, out);
    return out;
  }

 private:
  std::shared_ptr<const Checkpoint> file_;
};

TEST(EditGolden, ReliefAndItsApplication) {
  const Golden golden;
  const Relief r = relief(golden["image.source"], golden["image.mask"], 1);
  EXPECT_LT(largest_difference(r.base, golden["edit.base_luma"]), 2e-3);
  EXPECT_LT(largest_difference(r.luma, golden["edit.luma"]), 2e-3);
  EXPECT_LT(largest_difference(apply(golden["image.target"], shading_of(r)), golden["edit.shading"]), 2e-3);
}

TEST(EditGolden, MeanShift) {
  const Golden golden;
  const cv::Mat source = golden["image.source"], mask = golden["image.mask"];
  const cv::Scalar shift = colour_shift(source, {}, golden["image.target"], mask, Colour::mean);
  EXPECT_LT(largest_difference(source + shift, golden["edit.mean"]), 2e-3);
}

/// Pixels of `picture` under the disc of this many radii round the dent, and those beyond.
cv::Mat within(const Views& v, cv::Point2d centre, double radius) {
  return test::disc(v.view, {centre.x - v.area.rect.x, centre.y - v.area.rect.y}, radius) > 0;
}

double worst(const cv::Mat& a, const cv::Mat& b, const cv::Mat& where) { return cv::norm(a, b, cv::NORM_INF, where); }

TEST(Edit, OutsideTheFeatheredMaskIsTheTarget) {
  for (const Colour colour : {Colour::shading, Colour::surround, Colour::mean})
    for (const bool close : {true, false}) {
      Dent d({300, 300}, {150, 150}, 40);
      Request request;
      request.colour = colour, request.close_border = close, request.feather = 5,
      request.own_material = request.show_through = 0.5;
      const Views v = read_views(d.scene, request, 256, 8);
      const cv::Mat out = edit(v, request), beyond = ~within(v, {150, 150}, 40 + 7);
      EXPECT_EQ(worst(out, v.target, beyond), 0);
      EXPECT_GT(worst(out, v.target, within(v, {150, 150}, 30)), 0.1);
    }
}

TEST(Edit, StrengthZeroKeepsTheReferencesColours) {
  for (const Colour colour : {Colour::shading, Colour::surround, Colour::mean}) {
    Dent d({300, 300}, {150, 150}, 40);
    Request request;
    request.colour = colour, request.colour_strength = 0;
    const Views v = read_views(d.scene, request, 256, 8);
    EXPECT_LT(worst(edit(v, request), v.geometries[0].placed, within(v, {150, 150}, 39)), 1e-6);
  }
}

TEST(Edit, MeanTakesTheTargetsMean) {
  Dent d({300, 300}, {150, 150}, 40);
  Request request;
  request.colour = Colour::mean;
  const Views v = read_views(d.scene, request, 256, 8);
  const cv::Mat inside = v.mask > 0;
  const cv::Scalar edited = cv::mean(edit(v, request), inside), target = cv::mean(v.target, inside);
  for (int c = 0; c < 3; ++c) EXPECT_NEAR(edited[c], target[c], 1e-4);
}

TEST(Edit, SurroundTakesTheRingsDifference) {
  Dent d({300, 300}, {150, 150}, 40);
  Request request;
  request.colour = Colour::surround;
  const Views v = read_views(d.scene, request, 256, 8);
  const cv::Mat moved = edit(v, request) - v.geometries[0].placed;
  const cv::Vec3f by = moved.at<cv::Vec3f>(150 - v.area.rect.y, 150 - v.area.rect.x);
  EXPECT_NEAR(by[0], 0.3 - 0.5, 0.02);
  EXPECT_NEAR(by[1], 0.5 - 0.45, 0.02);
  EXPECT_NEAR(by[2], 0.6 - 0.4, 0.02);
}

/// The dent darkens its middle as it did in the source, in the target's own hue.
TEST(Edit, ShadingCarriesTheDentAndNotTheMaterial) {
  Dent d({300, 300}, {150, 150}, 60);
  const Views v = read_views(d.scene, {}, 256, 8);
  const cv::Mat middle = within(v, {150, 150}, 8);
  const cv::Scalar edited = cv::mean(edit(v, {}), middle), bare = cv::mean(v.target, middle);
  for (int c = 0; c < 3; ++c) EXPECT_NEAR(edited[c] / bare[c], 0.43, 0.1) << c;
  EXPECT_NEAR(edited[0] / edited[2], bare[0] / bare[2], 0.02);
}

/// A source that is bare material gives almost nothing, and without shrinking its grain.
TEST(Edit, GrainIsShrunkAway) {
  Dent d({300, 300}, {150, 150}, 40);
  d.source.pixels() = test::stone({300, 300}, {0.5, 0.45, 0.4}, 0.05, 8);
  Request request;
  const auto added = [&](double grain) {
    request.grain = grain;
    const Views v = read_views(d.scene, request, 256, 8);
    const cv::Mat change = edit(v, request) - v.target;
    cv::Scalar mean, sd;
    cv::meanStdDev(change, mean, sd, within(v, {150, 150}, 38));
    return sd[1];
  };
  const double all = added(0), shrunk = added(1), more = added(2);
  EXPECT_LT(shrunk, 0.45 * all);
  EXPECT_LT(more, shrunk);
}

TEST(Edit, GrainZeroKeepsTheWholeRelief) {
  Dent d({300, 300}, {150, 150}, 60);
  Request request;
  request.grain = 0, request.close_border = false;
  const Views v = read_views(d.scene, request, 256, 8);
  const cv::Mat edited = edit(v, request), inside = within(v, {150, 150}, 55);
  // The edit's ratio to the target is the source's ratio to its base where it is darker, pixel by pixel.
  const cv::Mat source = luma_of(v.geometries[0].placed), e = luma_of(edited), t = luma_of(v.target);
  const Carving c = carve(v.geometries[0].placed, v.mask, v.mask, {}, {0, false, false});
  const cv::Mat dark = inside & (c.shading.factor < 1) & (c.shading.light == 0);
  EXPECT_GT(cv::countNonZero(dark), 3000);
  EXPECT_LT(worst(e, t.mul(c.shading.factor), dark), 1e-5);
  cv::Mat base = source / c.shading.factor;  // smooth, where nothing was shrunk
  cv::Mat smooth;
  cv::GaussianBlur(base, smooth, {}, 2);
  EXPECT_LT(worst(base, smooth, within(v, {150, 150}, 10)), 5e-3);
}

TEST(Edit, PicturesOfTheSameGeometryAreAveragedOthersFollowOneAnother) {
  Dent d({300, 300}, {150, 150}, 40), other({300, 300}, {150, 150}, 60);
  test::MatRaster flat(test::stone({300, 300}, {0.5, 0.45, 0.4}, 0.05, 3));  // nothing pressed into it
  const Request request;
  const auto edited = [&](std::vector<Reference> references) {
    Scene scene = d.scene;
    scene.references = std::move(references);
    Views v = read_views(scene, request, 256, 8);
    return std::pair(edit(v, request), v.target);
  };
  Reference dent = d.scene.references[0], bare = dent, wider = other.scene.references[0];
  const auto [one, target] = edited({dent});
  EXPECT_LT(largest_difference(edited({dent, dent}).first, one), 1e-6) << "no second carving";

  bare.colour = &flat;
  dent.weight = 3;
  const cv::Mat mixed = edited({dent, bare}).first, alone = edited({bare}).first;
  EXPECT_LT(largest_difference(mixed - target, 0.75 * (one - target) + 0.25 * (alone - target)), 1e-6);

  // Less than half in common: another geometry, on top.
  const Views v = [&] {
    Scene scene = d.scene;
    scene.references = {dent, wider};
    return read_views(scene, request, 256, 8);
  }();
  Views first = v, second = v;
  first.geometries.resize(1);
  second.geometries.erase(second.geometries.begin());
  const cv::Mat in_turn = [&] {
    Views then = second;
    then.target = edit(first, request);
    return edit(then, request);
  }();
  EXPECT_LT(largest_difference(edit(v, request), in_turn), 1e-6);
}

TEST(Edit, TheSameRatioWhateverTheTargetsLightness) {
  Dent d({300, 300}, {150, 150}, 60);
  const Views v = read_views(d.scene, {}, 256, 8);
  Views dim = v;
  dim.target = cv::Mat(v.target * 0.25);  // an expression would be written into the shared pixels
  const cv::Mat e = edit(v, {}), f = edit(dim, {}), middle = within(v, {150, 150}, 20);
  for (int c = 0; c < 3; ++c) EXPECT_NEAR(cv::mean(e, middle)[c] * 0.25, cv::mean(f, middle)[c], 0.005);
}

TEST(Edit, ClosedBorderMeetsTheTarget) {
  // A source that is darker inside its mask as a whole: open, the edit ends in a step.
  Dent d({300, 300}, {150, 150}, 50);
  d.source.pixels() = test::stone({300, 300}, {0.5, 0.5, 0.5}, 0.01, 8);
  cv::Mat& source = d.source.pixels();
  for (int y = 0; y < 300; ++y)
    for (int x = 0; x < 300; ++x)
      if (std::hypot(x - 150, y - 150) < 70)
        for (int c = 0; c < 3; ++c) source.at<cv::Vec4f>(y, x)[c] *= 0.7f;
  Request request;
  request.feather = 0;
  const auto step = [&](bool close) {
    request.close_border = close;
    const Views v = read_views(d.scene, request, 256, 8);
    const cv::Mat ring = within(v, {150, 150}, 50) & ~within(v, {150, 150}, 48);
    return cv::mean(cv::abs(luma_of(edit(v, request)) - luma_of(v.target)), ring)[0];
  };
  EXPECT_LT(step(true), 0.25 * step(false));
}

/// A selection of 50 px in a disc of `tone`, with one spot black and one half as bright as the disc, on a material of 0.6 whose
/// squares, from 8 px beyond the disc on, differ from it by `drift`.
cv::Mat factor_in_a_disc(float tone, float drift) {
  cv::Mat rgb(160, 160, CV_32FC3, cv::Scalar::all(0.6)), mask = cv::Mat::zeros(160, 160, CV_32FC1);
  for (int y = 0; y < 160; ++y)
    for (int x = 0; x < 160; ++x) {
      const float square = 0.6f + ((x / 8 + y / 8) % 2 ? drift : -drift);
      if (std::hypot(x - 80, y - 80) > 61) rgb.at<cv::Vec3f>(y, x) = {square, square, square};
    }
  cv::circle(mask, {80, 80}, 50, 1, cv::FILLED);
  cv::circle(rgb, {80, 80}, 53, cv::Scalar::all(tone), cv::FILLED);
  cv::circle(rgb, {60, 80}, 12, cv::Scalar::all(0), cv::FILLED);
  cv::circle(rgb, {100, 80}, 12, cv::Scalar::all(tone / 2), cv::FILLED);
  return carve(rgb, mask, mask, {}, {0, true, false}).shading.factor;
}

/// Darker by a sixth on a material that strays by two fifths itself: no evidence of geometry. It is taken off as the factor that
/// it is, and what is black or half as bright in it stays so.
TEST(Edit, ClosingTheBorderTakesAShadowOffAsAFactor) {
  const cv::Mat factor = factor_in_a_disc(0.5f, 0.24f);
  EXPECT_NEAR(factor.at<float>(60, 80), 1, 0.05);
  EXPECT_NEAR(factor.at<float>(80, 60), 0, 0.02);
  EXPECT_NEAR(factor.at<float>(80, 100), 0.5, 0.05);
}

/// The same on an even material can only be the geometry, cut by a tight selection: a hole stays as dark as it is, to its border.
TEST(Edit, WhatOnlyTheGeometryCanBeStaysAtTheBorder) {
  for (const float tone : {0.5f, 0.25f}) {
    const cv::Mat factor = factor_in_a_disc(tone, 0);
    for (const int x : {80, 33}) EXPECT_NEAR(factor.at<float>(x == 80 ? 60 : 80, x), tone / 0.6, 0.05) << x;
    EXPECT_NEAR(factor.at<float>(80, 60), 0, 0.02);
    EXPECT_NEAR(factor.at<float>(80, 100), tone / 1.2, 0.05);
  }
}

/// No border, no bare material, black, one pixel, one row: nothing to judge by, and every field a number.
TEST(Edit, TheBorderIsJudgedWhateverTheSize) {
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(30000, 1), cv::Size(1, 700), cv::Size(40, 40)})
    for (const double tone : {0.0, 0.5})
      for (const bool all : {true, false}) {
        const cv::Mat rgb(size, CV_32FC3, cv::Scalar::all(tone));
        cv::Mat mask(size, CV_32FC1, cv::Scalar(all));
        mask.at<float>(size.height / 2, size.width / 2) = 1;
        const Shading lit = carve(rgb, mask, mask, {}, {1, true, false}).shading;
        EXPECT_TRUE(cv::checkRange(lit.factor, true, nullptr, 0, 100)) << size << tone << all;
        EXPECT_TRUE(cv::checkRange(lit.light, true, nullptr, 0, 100)) << size << tone << all;
      }
}

/// A crack as bright as the material, across a patch that is half as bright again: on a target that cannot brighten, it must be
/// darkened instead, or the patch's limit swallows it. A dark target takes both as they are.
TEST(Edit, ACrackInALightPatchStaysOnAPaleTarget) {
  Relief relief;
  relief.base = cv::Mat(160, 160, CV_32FC1, cv::Scalar(0.4)), relief.luma = relief.base.clone();
  cv::circle(relief.luma, {80, 80}, 40, 0.6, cv::FILLED);
  cv::line(relief.luma, {60, 70}, {100, 90}, 0.4, 2);
  EditFields fields;
  fields.support = cv::Mat::ones(160, 160, CV_32FC1);
  fields.carving.shading = split_light(relief, 1.5f, {0, 0, 160, 160}, 80);
  const auto on = [&](double tone) {
    cv::Mat target(160, 160, CV_32FC3, cv::Scalar::all(tone));
    apply_fields(fields, {}, {}, target);
    return std::pair(target.at<cv::Vec3f>(80, 80)[1], target.at<cv::Vec3f>(60, 80)[1]);
  };
  const auto [crack, patch] = on(0.9);
  EXPECT_LT(crack, 0.75 * patch);  // 0.67 on the source
  EXPECT_GE(patch, 0.9f);
  const auto [dark_crack, dark_patch] = on(0.3);
  EXPECT_NEAR(dark_crack, 0.3, 1e-5);
  EXPECT_GT(dark_patch, 0.4);
}

TEST(Edit, AnotherMaterialThatIsLaidBareKeepsItsColours) {
  Dent d({300, 300}, {150, 150}, 40);
  const cv::Vec4f rust(0.6f, 0.25f, 0.1f, 1);
  for (int y = 0; y < 300; ++y)
    for (int x = 0; x < 300; ++x)
      if (std::hypot(x - 150, y - 150) < 25) d.source.pixels().at<cv::Vec4f>(y, x) = rust;
  const auto edited = [&](double kept) {
    Request request;
    request.own_material = kept;
    const Views v = read_views(d.scene, request, 256, 8);
    const cv::Mat all = edit(v, request), round = within(v, {150, 150}, 36) & ~within(v, {150, 150}, 29);
    return std::tuple(cv::mean(all, within(v, {150, 150}, 20)), cv::mean(all, round), cv::mean(v.target, round));
  };
  const auto [none, round_none, round_target] = edited(0);
  const auto [half, round_half, same_target] = edited(0.5);
  const auto [whole, round_whole, again_target] = edited(1);
  for (int c = 0; c < 3; ++c) {
    EXPECT_NEAR(whole[c], rust[c], 1e-3);
    EXPECT_LT(std::abs(whole[c] - half[c]), std::abs(whole[c] - none[c]));
    EXPECT_NEAR(round_whole[c] / round_target[c], round_whole[0] / round_target[0], 0.06);  // the paint left has the target's hue
  }
}

TEST(Edit, BrokenInputDoesNotSpread) {
  Dent d({300, 300}, {150, 150}, 40);
  d.source.pixels().at<cv::Vec4f>(150, 150) = {NAN, 1, 1, 1};
  d.source.pixels().at<cv::Vec4f>(20, 20) = {INFINITY, -INFINITY, 1, 1};
  d.source.pixels().at<cv::Vec4f>(160, 160) = {1e30f, -1e30f, 0, 1};
  d.target.pixels().at<cv::Vec4f>(140, 140) = {0, NAN, 0, 1};
  d.mask.pixels().at<float>(5, 5) = NAN;
  d.mask.pixels().at<float>(140, 150) = 40;
  for (const Colour colour : {Colour::shading, Colour::surround, Colour::mean}) {
    Request request;
    request.show_through = 0.5;
    request.colour = colour;
    const Views v = read_views(d.scene, request, 256, 8);
    const Layer layer = composite(v, edit(v, request), request);
    for (const float f : layer.rgba) ASSERT_TRUE(std::isfinite(f));
    EXPECT_LT(v.area.rect.width, 240);  // the stray NaN did not stretch the selection
  }
}

/// Grain as strong as a hairline crack: the crack stays, the grain goes.
TEST(Edit, AThinLineSurvivesWhereGrainAsStrongGoes) {
  Dent d({300, 300}, {150, 150}, 60);
  d.source.pixels() = test::stone({300, 300}, {0.5, 0.5, 0.5}, 0.08, 8);
  cv::Mat line = cv::Mat::zeros(300, 300, CV_32FC1);
  cv::line(line, {110, 130}, {190, 170}, 1, 2, cv::LINE_AA);
  for (int y = 0; y < 300; ++y)
    for (int x = 0; x < 300; ++x)
      for (int c = 0; c < 3; ++c) d.source.pixels().at<cv::Vec4f>(y, x)[c] -= 0.1f * line.at<float>(y, x);
  const Views v = read_views(d.scene, {}, 256, 8);
  const Rect& r = v.area.rect;
  const cv::Mat ratio = luma_of(edit(v, {})) / luma_of(v.target), here = line(cv::Rect(r.x, r.y, r.width, r.height));
  const cv::Mat on = here > 0.9;
  cv::Mat off = within(v, {150, 150}, 50), wide;
  cv::dilate(here > 0, wide, cv::Mat::ones(7, 7, CV_8U));
  off &= wide == 0;
  EXPECT_LT(cv::mean(ratio, on)[0], 0.88);  // 0.8 was drawn
  cv::Scalar mean, left;
  cv::meanStdDev(ratio, mean, left, off);
  EXPECT_LT(left[0], 0.05);  // of 0.09
}

/// A bright target takes a bright relief without turning into a white patch.
TEST(Edit, BrightReliefDoesNotClipABrightTarget) {
  Dent d({300, 300}, {150, 150}, 60);
  d.source.pixels() = test::stone({300, 300}, {0.3, 0.3, 0.3}, 0.005, 8);
  for (int y = 0; y < 300; ++y)
    for (int x = 0; x < 300; ++x)
      if (std::hypot(x - 150, y - 150) < 40)
        for (int c = 0; c < 3; ++c) d.source.pixels().at<cv::Vec4f>(y, x)[c] *= 1.8f;
  d.target.pixels() = test::stone({300, 300}, {0.8, 0.8, 0.8}, 0.03, 9);
  const Views v = read_views(d.scene, {}, 256, 8);
  cv::Scalar mean, sd;
  cv::meanStdDev(luma_of(edit(v, {})), mean, sd, within(v, {150, 150}, 30));
  EXPECT_GT(mean[0], 0.84);
  EXPECT_LT(mean[0], 0.97);
  EXPECT_GT(sd[0], 0.003);  // its texture is still there
}

TEST(Edit, AnHdrTargetKeepsItsRange) {
  Dent d({300, 300}, {150, 150}, 40);
  d.target.pixels().setTo(cv::Scalar(4, 4, 4, 1));
  const Views v = read_views(d.scene, {}, 256, 8);
  const cv::Mat out = edit(v, {});
  EXPECT_LT(cv::mean(out, within(v, {150, 150}, 8))[0], 3);
  EXPECT_EQ(worst(out, v.target, ~within(v, {150, 150}, 50)), 0);
  double high;
  cv::minMaxLoc(out.reshape(1), nullptr, &high);
  EXPECT_LE(high, 4);
}

/// What is decided on a small view acts on the target's own pixels: the target's fine texture is still there.
TEST(Edit, ALargeRectangleKeepsTheTargetsOwnTexture) {
  Dent d({3000, 2900}, {1500, 1450}, 1000);
  const Views v = read_views(d.scene, {}, 256, 8);
  const cv::Mat out = edit(v, {});
  const cv::Rect patch(1400 - v.area.rect.x, 1350 - v.area.rect.y, 200, 200);
  const cv::Mat a = luma_of(out(patch)), b = luma_of(v.target(patch));
  cv::Mat fine_a, fine_b;
  cv::GaussianBlur(a, fine_a, {}, 2), cv::GaussianBlur(b, fine_b, {}, 2);
  fine_a = a - fine_a, fine_b = b - fine_b;
  const double correlation = fine_a.dot(fine_b) / (cv::norm(fine_a) * cv::norm(fine_b));
  EXPECT_GT(correlation, 0.95);
}

TEST(Edit, DoesNotDependOnTheNumberOfThreads) {
  Dent d({900, 800}, {450, 400}, 250);
  const Views v = read_views(d.scene, {}, 256, 8);
  cv::Mat placed, mask;  // at half the size, so that fields are interpolated
  cv::resize(v.geometries[0].placed, placed, {}, 0.5, 0.5, cv::INTER_AREA);
  cv::resize(v.geometries[0].placed_mask, mask, {}, 0.5, 0.5, cv::INTER_AREA);
  const EditFields fields = edit_fields(placed, {}, mask, 3, {});
  const int before = cv::getNumThreads();
  std::vector<cv::Mat> made;
  for (const int threads : {1, cv::getNumberOfCPUs()}) {
    cv::setNumThreads(threads);
    made.push_back(v.target.clone());
    apply_fields(fields, {}, {}, made.back());
  }
  cv::setNumThreads(before);
  EXPECT_GT(test::largest_difference(made[0], v.target), 0.05);
  EXPECT_EQ(test::largest_difference(made[0], made[1]), 0);
}

}  // namespace
}  // namespace geometry_transfer
