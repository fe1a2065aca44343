// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/edit.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "image/image_pipeline.h"
#include "image/mask.h"
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

TEST(EditGolden, MeanShift) {
  const Golden golden;
  const cv::Mat source = golden["image.source"], mask = golden["image.mask"];
  const cv::Scalar shift = colour_shift(source, {}, golden["image.target"], mask, Colour::mean);
  EXPECT_LT(largest_difference(source + shift, golden["edit.mean"]), 2e-3);
}

/// Returns the pixels of `picture` within this many radii of the dent's centre, and those beyond.
cv::Mat within(const WorkingImages& v, cv::Point2d centre, double radius) {
  return test::disc(v.view, {centre.x - v.area.rect.x, centre.y - v.area.rect.y}, radius) > 0;
}

double worst(const cv::Mat& a, const cv::Mat& b, const cv::Mat& where) { return cv::norm(a, b, cv::NORM_INF, where); }

TEST(Edit, OutsideTheFeatheredMaskIsTheTarget) {
  for (const Colour colour : {Colour::shading, Colour::surround, Colour::mean})
    for (const double touched : {kAutomatic, 0.5}) {
      Dent d({300, 300}, {150, 150}, 40);
      Request request;
      request.colour = colour, request.feather = 5, request.own_material = request.show_through = touched;
      const WorkingImages v = read_working_images(d.scene, request, 256, 8);
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
    const WorkingImages v = read_working_images(d.scene, request, 256, 8);
    EXPECT_LT(worst(edit(v, request), v.geometries[0].placed, within(v, {150, 150}, 39)), 1e-6);
  }
}

TEST(Edit, MeanTakesTheTargetsMean) {
  Dent d({300, 300}, {150, 150}, 40);
  Request request;
  request.colour = Colour::mean;
  const WorkingImages v = read_working_images(d.scene, request, 256, 8);
  const cv::Mat inside = v.mask > 0;
  const cv::Scalar edited = cv::mean(edit(v, request), inside), target = cv::mean(v.target, inside);
  for (int c = 0; c < 3; ++c) EXPECT_NEAR(edited[c], target[c], 1e-4);
}

TEST(Edit, SurroundTakesTheRingsDifference) {
  Dent d({300, 300}, {150, 150}, 40);
  Request request;
  request.colour = Colour::surround;
  const WorkingImages v = read_working_images(d.scene, request, 256, 8);
  const cv::Mat moved = edit(v, request) - v.geometries[0].placed;
  const cv::Vec3f by = moved.at<cv::Vec3f>(150 - v.area.rect.y, 150 - v.area.rect.x);
  EXPECT_NEAR(by[0], 0.3 - 0.5, 0.02);
  EXPECT_NEAR(by[1], 0.5 - 0.45, 0.02);
  EXPECT_NEAR(by[2], 0.6 - 0.4, 0.02);
}

/// The ring leaves out pixels that the reference does not have. They are filled with a colour that means nothing.
TEST(Edit, TheSurroundsRingLeavesUnknownPixelsOut) {
  const cv::Size size(200, 200);
  const cv::Mat mask = test::disc(size, {100, 100}, 40), target(size, CV_32FC3, cv::Scalar(0.3, 0.5, 0.6));
  cv::Mat placed(size, CV_32FC3, cv::Scalar(0.5, 0.45, 0.4)), known(size, CV_32FC1, cv::Scalar(1));
  const cv::Rect beyond(110, 0, 90, 200);
  known(beyond).setTo(0), placed(beyond).setTo(cv::Scalar(5, 5, 5));
  const cv::Scalar shift = colour_shift(placed, known, target, mask, Colour::surround);
  EXPECT_NEAR(shift[0], 0.3 - 0.5, 1e-5);
  EXPECT_NEAR(shift[1], 0.5 - 0.45, 1e-5);
  EXPECT_NEAR(shift[2], 0.6 - 0.4, 1e-5);
}

/// The dent darkens its middle as much as in the source, in the target's own hue.
TEST(Edit, ShadingCarriesTheDentAndNotTheMaterial) {
  Dent d({300, 300}, {150, 150}, 60);
  const WorkingImages v = read_working_images(d.scene, {}, 256, 8);
  const cv::Mat middle = within(v, {150, 150}, 8);
  const cv::Scalar edited = cv::mean(edit(v, {}), middle), bare = cv::mean(v.target, middle);
  for (int c = 0; c < 3; ++c) EXPECT_NEAR(edited[c] / bare[c], 0.43, 0.1) << c;
  EXPECT_NEAR(edited[0] / edited[2], bare[0] / bare[2], 0.02);
}

/// A source of bare material changes almost nothing. Without shrinking, its grain would.
TEST(Edit, GrainIsShrunkAway) {
  Dent d({300, 300}, {150, 150}, 40);
  d.source.pixels() = test::stone({300, 300}, {0.5, 0.45, 0.4}, 0.05, 8);
  Request request;
  const auto added = [&](double grain) {
    request.grain = grain;
    const WorkingImages v = read_working_images(d.scene, request, 256, 8);
    const cv::Mat change = edit(v, request) - v.target;
    cv::Scalar mean, sd;
    cv::meanStdDev(change, mean, sd, within(v, {150, 150}, 38));
    return sd[1];
  };
  const double all = added(0), shrunk = added(1), more = added(2);
  EXPECT_LT(shrunk, 0.45 * all);
  EXPECT_LT(more, shrunk);
}

TEST(Edit, PicturesOfTheSameGeometryAreAveragedOthersFollowOneAnother) {
  Dent d({300, 300}, {150, 150}, 40), other({300, 300}, {150, 150}, 60);
  test::MatRaster flat(test::stone({300, 300}, {0.5, 0.45, 0.4}, 0.05, 3));  // no dent
  const Request request;
  const auto edited = [&](std::vector<Reference> references) {
    Scene scene = d.scene;
    scene.references = std::move(references);
    WorkingImages v = read_working_images(scene, request, 256, 8);
    return std::pair(edit(v, request), v.target);
  };
  Reference dent = d.scene.references[0], bare = dent, wider = other.scene.references[0];
  const auto [one, target] = edited({dent});
  EXPECT_LT(largest_difference(edited({dent, dent}).first, one), 1e-6) << "no second carving";

  bare.colour = &flat;
  dent.weight = 3;
  const cv::Mat mixed = edited({dent, bare}).first, alone = edited({bare}).first;
  EXPECT_LT(largest_difference(mixed - target, 0.75 * (one - target) + 0.25 * (alone - target)), 1e-6);

  // The selections overlap by less than half, so it is another geometry on top.
  const WorkingImages v = [&] {
    Scene scene = d.scene;
    scene.references = {dent, wider};
    return read_working_images(scene, request, 256, 8);
  }();
  WorkingImages first = v, second = v;
  first.geometries.resize(1);
  second.geometries.erase(second.geometries.begin());
  const cv::Mat in_turn = [&] {
    WorkingImages then = second;
    then.target = edit(first, request);
    return edit(then, request);
  }();
  EXPECT_LT(largest_difference(edit(v, request), in_turn), 1e-6);
}

TEST(Edit, TheSameRatioWhateverTheTargetsLightness) {
  Dent d({300, 300}, {150, 150}, 60);
  Request request;
  request.strength = 1, request.own_material = 0;
  const WorkingImages v = read_working_images(d.scene, request, 256, 8);
  WorkingImages dim = v;
  dim.target = cv::Mat(v.target * 0.25);  // cv::Mat copies; the expression would be written into the shared pixels
  const cv::Mat e = edit(v, request), f = edit(dim, request), middle = within(v, {150, 150}, 20);
  for (int c = 0; c < 3; ++c) EXPECT_NEAR(cv::mean(e, middle)[c] * 0.25, cv::mean(f, middle)[c], 0.03);
}

/// The slider has its full effect on a spot of another colour that the network takes for shade.
TEST(Edit, OwnMaterialOneShowsTheReferencesColourAndLessShowsLess) {
  Dent d({300, 300}, {150, 150}, 60);
  d.source.pixels() = test::stone({300, 300}, {0.5, 0.55, 0.6}, 0.02, 1);
  const cv::Scalar rust(0.5, 0.2, 0.08, 1);
  d.source.pixels().setTo(rust, test::disc({300, 300}, {150, 150}, 40) > 0);
  const auto error = [&](double own) {
    Request request;
    request.strength = 1, request.own_material = own;
    const WorkingImages v = read_working_images(d.scene, request, 0, 1);
    const cv::Mat out = edit(v, request);
    EXPECT_LT(worst(out, v.target, within(v, {150, 150}, 57) & ~within(v, {150, 150}, 49)), 0.25) << "the stone beside it";
    const cv::Scalar mean = cv::mean(out, within(v, {150, 150}, 30));
    return std::hypot(mean[0] - rust[0], mean[1] - rust[1], mean[2] - rust[2]);
  };
  EXPECT_LT(error(1), 0.03);
  EXPECT_LT(error(1), 0.5 * error(0.5));
  EXPECT_LT(error(0.5), 0.9 * error(0));
}

/// Grain 0 keeps the reference's own ratio to its bare material, pixel by pixel.
TEST(Edit, GrainZeroKeepsTheWholeRelief) {
  Dent d({300, 300}, {150, 150}, 60);
  d.target.pixels().setTo(cv::Scalar(0.5, 0.5, 0.5, 1));
  Request request;
  request.grain = 0;
  const WorkingImages v = read_working_images(d.scene, request, 256, 8);
  cv::Mat ratio, source = luma_of(v.geometries[0].placed), fine_a, fine_b;
  cv::log(luma_of(edit(v, request)) / 0.5, ratio);
  cv::log(source, source);
  cv::GaussianBlur(ratio, fine_a, {}, 2), cv::GaussianBlur(source, fine_b, {}, 2);
  fine_a = ratio - fine_a, fine_b = source - fine_b;
  const cv::Mat inside = within(v, {150, 150}, 50);
  cv::Mat a, b;
  fine_a.copyTo(a, inside), fine_b.copyTo(b, inside);
  EXPECT_GT(a.dot(b) / (cv::norm(a) * cv::norm(b)), 0.8);  // the mean of the channels, not luma
  EXPECT_NEAR(cv::norm(a) / cv::norm(b), 1, 0.25);
}

/// Up to the slider's end more faint shade goes, and the dent itself stays.
TEST(Edit, MoreGrainRemovesFaintShadeAndKeepsTheDent) {
  Dent d({300, 300}, {150, 150}, 60);
  d.target.pixels().setTo(cv::Scalar(0.5, 0.5, 0.5, 1));
  const auto ratio = [&](double grain) {
    Request request;
    request.strength = 1, request.show_through = 0, request.own_material = 0;
    request.grain = grain;
    cv::Mat out;
    cv::log(luma_of(edit(read_working_images(d.scene, request, 0, 1), request)) / 0.5, out);
    return out;
  };
  const cv::Mat one = ratio(1), two = ratio(2), three = ratio(3);
  const cv::Mat faint = (one < -0.005) & (one > -0.05), deep = one < -0.5;
  ASSERT_GT(cv::countNonZero(faint), 100);
  ASSERT_GT(cv::countNonZero(deep), 100);
  EXPECT_LT(cv::mean(two, faint)[0] / cv::mean(one, faint)[0], 0.7);
  EXPECT_LT(cv::mean(three, faint)[0] / cv::mean(two, faint)[0], 0.7);
  EXPECT_GT(cv::mean(three, deep)[0] / cv::mean(one, deep)[0], 0.95);
}

/// An even reference has no geometry, so the target stays the same to the bit.
TEST(Edit, AnEvenReferenceChangesNothing) {
  for (const double tone : {0.05, 0.5, 0.95})
    for (const double target : {0.05, 0.5, 0.95}) {
      Dent d({300, 300}, {150, 150}, 40);
      d.source.pixels().setTo(cv::Scalar(tone, tone, tone, 1));
      d.target.pixels().setTo(cv::Scalar(target, target, target, 1));
      const WorkingImages v = read_working_images(d.scene, {}, 256, 8);
      EXPECT_EQ(worst(edit(v, {}), v.target, within(v, {150, 150}, 60)), 0) << tone << ' ' << target;
    }
}

/// If all of a reference is selected, there is no bare material to compare with. An even reference still changes
/// nothing.
TEST(Edit, AnEvenReferenceThatIsSelectedWholeChangesNothing) {
  Dent d({120, 90}, {60, 45}, 40);
  d.source.pixels().setTo(cv::Scalar(0.2, 0.5, 0.6, 1));
  d.mask.pixels().setTo(1);
  const WorkingImages v = read_working_images(d.scene, {}, 256, 8);
  EXPECT_EQ(largest_difference(edit(v, {}), v.target), 0);
}

TEST(Edit, StrengthScalesTheGeometry) {
  Dent d({300, 300}, {150, 150}, 60);
  const auto depth = [&](double strength) {
    Request request;
    request.strength = strength, request.own_material = 0;
    const WorkingImages v = read_working_images(d.scene, request, 256, 8);
    const cv::Mat middle = within(v, {150, 150}, 8);
    return std::log(cv::mean(edit(v, request), middle)[1] / cv::mean(v.target, middle)[1]);
  };
  EXPECT_EQ(depth(0), 0);
  const double once = depth(1);
  EXPECT_NEAR(depth(0.5), 0.5 * once, 0.15 * std::abs(once));
  EXPECT_LT(depth(2), 1.5 * once);
}

/// Highlights on a coloured target brighten along its hue and then go towards white. No channel overtakes another.
TEST(Edit, HighlightsKeepTheTargetsHue) {
  PlacedEdit e;
  e.support = e.mask = cv::Mat::ones(4, 4, CV_32FC1);
  e.layers = {cv::Mat(4, 4, CV_32FC1, cv::Scalar(0.7)), cv::Mat::zeros(4, 4, CV_32FC1), cv::Mat::zeros(4, 4, CV_32FC1)};
  cv::Mat target(4, 4, CV_32FC3, cv::Scalar(0.9, 0.6, 0.1));
  apply_edits({e}, {}, target);
  const cv::Vec3f lit = target.at<cv::Vec3f>(1, 1);
  EXPECT_LE(lit[0], 1);
  EXPECT_GT(lit[0], 0.95f);
  EXPECT_GT(lit[0], lit[1]);
  EXPECT_GT(lit[1], lit[2]);
  EXPECT_GT(lit[2], 0.1f * std::exp(0.7f));  // on the way to white
}

/// The reference's own material hides the target: bared metal is as bright on a dark target as on a bright one.
TEST(Edit, OwnMatterHidesTheTarget) {
  PlacedEdit e;
  e.support = e.mask = cv::Mat::ones(4, 4, CV_32FC1);
  const cv::Mat none = cv::Mat::zeros(4, 4, CV_32FC1);
  e.layers = {none, none, cv::Mat(4, 4, CV_32FC1, cv::Scalar(1))};
  e.paste = cv::Mat(4, 4, CV_32FC3, cv::Scalar(0.7, 0.6, 0.5));
  for (const double tone : {0.1, 0.9}) {
    cv::Mat target(4, 4, CV_32FC3, cv::Scalar::all(tone));
    apply_edits({e}, {}, target);
    EXPECT_LT(largest_difference(target, e.paste), 1e-5);
  }
}

/// No bare material, black, one pixel, one row: the result must hold finite numbers.
TEST(Edit, SplitsWhateverTheSize) {
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(3000, 1), cv::Size(1, 700), cv::Size(40, 40), cv::Size(900, 500)})
    for (const double tone : {0.0, 0.5})
      for (const bool all : {true, false}) {
        const cv::Mat rgb(size, CV_32FC3, cv::Scalar::all(tone));
        cv::Mat mask(size, CV_32FC1, cv::Scalar(all));
        mask.at<float>(size.height / 2, size.width / 2) = 1;
        Request request;
        request.show_through = request.own_material = 0.5, request.grain = tone > 0 ? 0 : 2;
        const GeometryLayers l = split_geometry(rgb, mask, {}, request).layers;
        for (const cv::Mat& field : {l.shade, l.light, l.own})
          EXPECT_TRUE(cv::checkRange(field, true, nullptr, -10, 10)) << size << tone << all;
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
    const WorkingImages v = read_working_images(d.scene, request, 256, 8);
    const Layer layer = composite(v, edit(v, request), request);
    for (const float f : layer.rgba) ASSERT_TRUE(std::isfinite(f));
    EXPECT_LT(v.area.rect.width, 240);  // a single NaN must not enlarge the selection
  }
}

/// With grain as strong as a hairline crack, the crack stays and the grain goes.
TEST(Edit, AThinLineSurvivesWhereGrainAsStrongGoes) {
  Dent d({300, 300}, {150, 150}, 60);
  d.source.pixels() = test::stone({300, 300}, {0.5, 0.5, 0.5}, 0.08, 8);
  cv::Mat line = cv::Mat::zeros(300, 300, CV_32FC1);
  cv::line(line, {110, 130}, {190, 170}, 1, 2, cv::LINE_AA);
  for (int y = 0; y < 300; ++y)
    for (int x = 0; x < 300; ++x)
      for (int c = 0; c < 3; ++c) d.source.pixels().at<cv::Vec4f>(y, x)[c] -= 0.1f * line.at<float>(y, x);
  const WorkingImages v = read_working_images(d.scene, {}, 256, 8);
  const Rect& r = v.area.rect;
  const cv::Mat ratio = luma_of(edit(v, {})) / luma_of(v.target), here = line(cv::Rect(r.x, r.y, r.width, r.height));
  const cv::Mat on = here > 0.9;
  cv::Mat off = within(v, {150, 150}, 50), wide;
  cv::dilate(here > 0, wide, cv::Mat::ones(7, 7, CV_8U));
  off &= wide == 0;
  EXPECT_LT(cv::mean(ratio, on)[0], 0.88);  // the crack was drawn with 0.8
  cv::Scalar mean, left;
  cv::meanStdDev(ratio, mean, left, off);
  EXPECT_LT(left[0], 0.05);  // the grain was drawn with 0.09
}

TEST(Edit, AnHdrTargetKeepsItsRange) {
  Dent d({300, 300}, {150, 150}, 40);
  d.target.pixels().setTo(cv::Scalar(4, 4, 4, 1));
  const WorkingImages v = read_working_images(d.scene, {}, 256, 8);
  const cv::Mat out = edit(v, {});
  EXPECT_LT(cv::mean(out, within(v, {150, 150}, 8))[0], 3);
  EXPECT_EQ(worst(out, v.target, ~within(v, {150, 150}, 50)), 0);
  double high;
  cv::minMaxLoc(out.reshape(1), nullptr, &high);
  EXPECT_LE(high, 4);
}

/// The layers are computed on a small view but act on the target's own pixels, so its fine texture stays.
TEST(Edit, ALargeRectangleKeepsTheTargetsOwnTexture) {
  Dent d({3000, 2900}, {1500, 1450}, 1000);
  const WorkingImages v = read_working_images(d.scene, {}, 256, 8);
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
  const WorkingImages v = read_working_images(d.scene, {}, 256, 8);
  const int before = cv::getNumThreads();
  std::vector<cv::Mat> results;
  for (const int threads : {1, cv::getNumberOfCPUs()}) {
    cv::setNumThreads(threads);
    results.push_back(edit(v, {}));
  }
  cv::setNumThreads(before);
  EXPECT_GT(test::largest_difference(results[0], v.target), 0.05);
  EXPECT_EQ(test::largest_difference(results[0], results[1]), 0);
}

}  // namespace
}  // namespace geometry_transfer
