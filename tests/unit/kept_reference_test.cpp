// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/kept_reference.h"

#include <gtest/gtest.h>

#include "image/preview.h"
#include "request/library.h"
#include "scene_on_mats.h"

extern "C" const geometry_transfer::ImagePart* geometry_transfer_image_part(int abi);

namespace geometry_transfer {
namespace {

constexpr std::uint64_t kLimit = std::uint64_t{64} << 20;

/// The part that is linked into this program.
const ImagePart& part() { return *geometry_transfer_image_part(kAbi); }

Layer edited(const Scene& scene, const Request& request) {
  Report report;
  return part().edit(scene, request, {}, report);
}

struct KeptDent : test::Dent {
  std::unique_ptr<KeptReference> cache;
  explicit KeptDent(bool fixed, std::uint64_t limit = kLimit)
      : Dent({200, 180}, {100, 90}, 30), cache(part().keep_reference(limit, fixed)) {
    scene.references[0].cache = cache.get();
  }
};

TEST(KeptReference, AnEditIsTheSameToTheBit) {
  for (const bool fixed : {true, false}) {
    KeptDent d(fixed);
    Scene plain = d.scene;
    plain.references[0].cache = nullptr;
    Request request;
    for (const double rotation : {0., 25., 90.})
      for (const double scale : {1., 1.3, std::exp2(-0.25)})
        for (const double grain : {1., 0.5}) {
          request.placement.rotation = rotation, request.placement.scale = scale, request.grain = grain;
          const Layer with = edited(d.scene, request), without = edited(plain, request);
          EXPECT_EQ(with.area, without.area);
          EXPECT_EQ(with.rgba, without.rgba) << rotation << " " << scale << " " << grain;
        }
    EXPECT_GT(d.cache->bytes(), 0u);
  }
}

TEST(KeptReference, ARandomScaleChangesNextToNothing) {
  KeptDent d(true);
  Scene plain = d.scene;
  plain.references[0].cache = nullptr;
  Request request;
  for (const double scale : {0.55, 0.75, 0.9}) {
    request.placement.scale = scale;
    const Layer with = edited(d.scene, request), without = edited(plain, request);
    ASSERT_EQ(with.area, without.area);
    double sum = 0, changed = 0;
    const Rect& a = with.area;
    for (int y = 0; y < a.height; ++y)
      for (int x = 0; x < a.width; ++x) {
        const std::size_t i = (std::size_t(y) * a.width + x) * 4;
        const float target = d.target.pixels().at<cv::Vec4f>(a.y + y, a.x + x)[0];
        sum += std::abs(with.rgba[i] - without.rgba[i]), changed += std::abs(without.rgba[i] - target);
      }
    EXPECT_LT(sum, 0.1 * changed) << scale;
  }
}

TEST(KeptReference, SplitsOnceForAStepOfTheScale) {
  KeptDent d(true);
  const Reference& reference = d.scene.references[0];
  const MeasuredReference geometry{&reference, shape_of(reference)};
  const auto split_at = [&](double scale, const Request& request) {
    return split_of(cache_of(reference), *patch_of(geometry, scale), 0, request);
  };
  const auto first = split_at(1, {});
  EXPECT_EQ(split_at(1, {}), first);
  EXPECT_EQ(split_at(0.9, {}), first);
  EXPECT_NE(split_at(0.8, {}), first);
  EXPECT_EQ(split_at(0.8, {}), split_at(0.72, {}));
  Request request;
  request.strength = 0.5;
  request.placement.shift_x = 9;
  EXPECT_EQ(split_at(1, request), first);
  request.grain = 0.5;
  EXPECT_NE(split_at(1, request), first);
}

TEST(KeptReference, SeesChangedPixelsUnlessTheyAreFixed) {
  KeptDent d(false);
  const Layer before = edited(d.scene, {});
  test::press(d.source.pixels(), {110, 90}, 12);
  Scene plain = d.scene;
  plain.references[0].cache = nullptr;
  const Layer after = edited(d.scene, {});
  EXPECT_NE(after.rgba, before.rgba);
  EXPECT_EQ(after.rgba, edited(plain, {}).rgba);
}

TEST(KeptReference, KeepsNoMoreThanItsLimit) {
  KeptDent d(true, 3 << 20);
  Request request;
  for (int i = 0; i < 20; ++i) {
    request.grain = 0.05 * i;
    edited(d.scene, request);
    EXPECT_LE(d.cache->bytes(), std::uint64_t{6} << 20);
  }
  EXPECT_GT(d.cache->bytes(), std::uint64_t{1} << 20);
}

TEST(KeptReference, APreviewThatIsMadeAgainShowsTheSame) {
  KeptDent d(false);
  Request request;
  const auto first = make_preview(d.scene, {300, 270});
  const std::vector<unsigned char> seen = first->render(request).rgb;
  const std::uint64_t bytes = d.cache->bytes();
  EXPECT_GT(bytes, 0u);
  const auto again = make_preview(d.scene, {300, 270});
  EXPECT_EQ(again->render(request).rgb, seen);
  EXPECT_EQ(d.cache->bytes(), bytes);
}

}  // namespace
}  // namespace geometry_transfer
