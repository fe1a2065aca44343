// SPDX-License-Identifier: GPL-3.0-or-later
/// Tests the plug-in without GIMP: reading buffers, notes, and whole calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "copies.h"
#include "expected_time.h"
#include "fake_host.h"
#include "geometry-transfer/error.h"
#include "host/gegl_raster.h"
#include "kinds.h"
#include "named_settings.h"
#include "procedure.h"
#include "run.h"
#include "scene_from_layers.h"
#include "settings.h"
#include "worker/program.h"

namespace geometry_transfer {
namespace {

namespace fake = host::fake;
using host::Id;
using host::kNone;

constexpr Id kImage = 1;
const float kClay[4] = {0.7f, 0.5f, 0.3f, 1}, kSteel[4] = {0.4f, 0.45f, 0.5f, 1};

class Plugin : public ::testing::Test {
 protected:
  void SetUp() override {
    fake::reset();
    fake::world().next = 10;
    target_ = fake::layer(kImage, "wall", {0, 0, 200, 160}, kClay);
    source_ = fake::layer(kImage, "dent", {-20, 0, 180, 160}, kSteel);
    fake::select(kImage, {60, 50, 40, 30});
    call_.image = kImage;
    call_.target = target_;
    call_.source = source_;
    call_.request.preset = "instant";
  }
  static bool no_dialog(Call&) {
    ADD_FAILURE() << "a dialog came up";
    return false;
  }
  /// Checks that the call fails with a message that holds `word`, and that nothing has changed.
  void refused(const char* word) {
    const Outcome outcome = run(call_, no_dialog);
    EXPECT_EQ(outcome.status, Outcome::Status::failed);
    EXPECT_NE(outcome.message.find(word), std::string::npos) << outcome.message;
    EXPECT_EQ(fake::world().stacks[kImage].size(), 2u);
    EXPECT_EQ(std::count(fake::world().log.begin(), fake::world().log.end(), "insert"), 0);
  }

  Id target_ = kNone, source_ = kNone;
  Call call_;
};

TEST_F(Plugin, OneCallIsOneUndoStepWithOneLayer) {
  const Outcome outcome = run(call_, no_dialog);
  ASSERT_EQ(outcome.status, Outcome::Status::done) << outcome.message;
  EXPECT_EQ(fake::world().stacks[kImage], (std::vector<Id>{outcome.layer, target_, source_}));
  const std::vector<std::string> wanted = {"make",           "changed",  "undo begin", "insert",
                                           "insert channel", "undo end", "show",       "progress end"};
  EXPECT_EQ(fake::world().log, wanted);
  EXPECT_EQ(host::item_name(outcome.layer), "Geometry from dent");
  EXPECT_EQ(fake::world().active, outcome.layer);
}

TEST_F(Plugin, WhereMemoryEndsItGoesBeforeGimp) {
  constexpr char kScore[] = "/proc/self/oom_score_adj";
  const auto score = [&] {
    int now = -1;
    std::ifstream(kScore) >> now;
    return now;
  };
  const auto as_gimp = [&] {
    std::ofstream(kScore) << 0;
    return score() == 0;
  };
  if (!as_gimp()) GTEST_SKIP() << "this process cannot have GIMP's score";
  ASSERT_EQ(run(call_, no_dialog).status, Outcome::Status::done);
  EXPECT_EQ(score(), 500);
  ASSERT_TRUE(as_gimp());
  call_.mode = Call::Mode::last_values;  // asks the worker; runs here if the worker is gone
  int there = 0;
  run(call_, no_dialog, [&](const auto&...) -> Layer {
    there = score();
    throw Cancelled();
  });
  EXPECT_EQ(there, 500);
  as_gimp();
}

TEST(Keep, IsReadTheSameUnderADecimalComma) {
  const auto kept_with = [](const char* wish) {
    setenv("GEOMETRY_TRANSFER_KEEP", wish, 1);
    const bool has_worker = static_cast<bool>(worker::worker_runner());
    unsetenv("GEOMETRY_TRANSFER_KEEP");
    return has_worker;
  };
  for (const char* locale : {"C", "de_DE.UTF-8"}) {
    if (!std::setlocale(LC_ALL, locale)) GTEST_SKIP() << "no de_DE.UTF-8 here: install the package locales";
    for (const char* some : {"", "0.5", "300"}) EXPECT_TRUE(kept_with(some)) << locale << " " << some;
    for (const char* none : {"0", "-1", "no"}) EXPECT_FALSE(kept_with(none)) << locale << " " << none;
  }
  std::setlocale(LC_ALL, "C");
}

TEST_F(Plugin, AResultThatIsEditedAgainIsReplaced) {
  const Outcome first = run(call_, no_dialog);
  call_.target = first.layer;
  call_.mode = Call::Mode::last_values;
  const Outcome second = run(call_, no_dialog);
  ASSERT_EQ(second.status, Outcome::Status::done) << second.message;
  EXPECT_EQ(fake::world().stacks[kImage], (std::vector<Id>{second.layer, target_, source_}));
  Remembered stored;
  ASSERT_TRUE(layer_settings(second.layer, stored));
  EXPECT_EQ(stored.target, host::tattoo(target_));
}

/// Paints a dark stripe of 4 x 20 pixels into the middle of the selection.
void paint_crack(Id layer) {
  const GeglRectangle stripe = {98, 55, 4, 20};
  std::vector<float> dark;
  for (int i = 0; i < stripe.width * stripe.height; ++i) dark.insert(dark.end(), {0.05f, 0.05f, 0.05f, 1.0f});
  gegl_buffer_set(fake::world().items.at(layer).buffer, &stripe, 0, babl_format("R'G'B'A float"), dark.data(),
                  GEGL_AUTO_ROWSTRIDE);
}

TEST_F(Plugin, SeparateLayersAreAGroupThatIsOneResult) {
  paint_crack(source_);
  call_.separate = true;
  const Outcome first = run(call_, no_dialog);
  ASSERT_EQ(first.status, Outcome::Status::done) << first.message;
  std::vector<Id> inside;
  for (const Id layer : fake::world().stacks[kImage])
    if (host::parent(layer) == first.layer) inside.push_back(layer);
  ASSERT_FALSE(inside.empty());
  EXPECT_EQ(fake::world().items.at(inside.back()).blending, BlendLayer::Mode::multiply) << "the shade lies at the bottom";
  EXPECT_EQ(host::item_name(inside.back()), "Shade");
  EXPECT_EQ(std::count(fake::world().log.begin(), fake::world().log.end(), "undo begin"), 1);
  for (const Id layer : inside) EXPECT_TRUE(is_result(layer)) << "never offered as reference";
  EXPECT_FALSE(is_result(target_));

  // A call on one of its layers means the whole result, which is replaced by a group again.
  Call again = call_;
  again.target = inside.front();
  again.separate = false;
  again.mode = Call::Mode::last_values;
  const Outcome second = run(again, no_dialog);
  ASSERT_EQ(second.status, Outcome::Status::done) << second.message;
  const std::vector<Id>& stack = fake::world().stacks[kImage];
  EXPECT_EQ(std::count(stack.begin(), stack.end(), first.layer), 0) << "replaced";
  Remembered stored;
  ASSERT_TRUE(layer_settings(second.layer, stored));
  EXPECT_TRUE(stored.separate);
  EXPECT_EQ(stored.target, host::tattoo(target_));
}

TEST_F(Plugin, AHostThatRefusesOneOfTheSeparateLayersHasNone) {
  paint_crack(source_);
  call_.separate = true;
  const auto before = fake::world().stacks[kImage];
  fake::world().room = 1;
  EXPECT_EQ(run(call_, no_dialog).status, Outcome::Status::failed);
  EXPECT_EQ(fake::world().stacks[kImage], before);
  EXPECT_EQ(fake::world().log.back(), "progress end");
}

TEST_F(Plugin, WhatAScriptSaysWinsOverThePreset) {
  call_.request.colour = Colour::mean;  // differs from the preset
  call_.request.grain = 0.3;
  const Outcome said = run(call_, no_dialog);
  ASSERT_EQ(said.status, Outcome::Status::done) << said.message;
  Remembered stored;
  ASSERT_TRUE(layer_settings(said.layer, stored));
  EXPECT_EQ(stored.request.preset, "custom");
  EXPECT_EQ(stored.request.colour, Colour::mean);
  EXPECT_EQ(stored.request.grain, 0.3);
  EXPECT_EQ(stored.request.correction, 0) << "the preset's own";
}

TEST_F(Plugin, AScriptGetsThePresetThatSuitsItsModel) {
  call_.request.preset = kSuitingPreset;
  Remembered settings;
  const Outcome small = run(call_, no_dialog);
  ASSERT_EQ(small.status, Outcome::Status::done) << small.message;
  ASSERT_TRUE(layer_settings(small.layer, settings));
  EXPECT_EQ(settings.request.preset, "instant");

  Request asked;
  host::set_session_note("geometry-transfer-called", "yes");  // only a script's first call runs in its own process
  call_.request.model = std::string(std::getenv("SOURCE")) + "/tests/golden/sd15";
  run(call_, no_dialog, [&](const Scene&, const Request& request, const ProgressCallback&, Report&) -> Layer {
    asked = request;
    throw Cancelled();
  });
  EXPECT_EQ(asked.preset, "balanced");
  EXPECT_EQ(asked.correction, 1);
}

TEST_F(Plugin, WhatWasSetOutlivesACancelledRun) {
  call_.mode = Call::Mode::interactive;
  fake::world().during = [](double) { throw Cancelled(); };
  const Outcome cancelled = run(call_, [](Call& call) {
    call.request.preset = "instant";
    call.request.placement.scale = 1.25;
    return true;
  });
  EXPECT_EQ(cancelled.status, Outcome::Status::cancelled);
  fake::world().during = nullptr;
  double scale = 0;
  run(call_, [&](Call& call) {
    scale = call.request.placement.scale;
    return false;
  });
  EXPECT_EQ(scale, 1.25);
}

TEST_F(Plugin, RefusalsChangeNothing) {
  call_.source = kNone;
  refused("reference layer");
  call_.source = target_;
  refused("another layer");
  call_.source = source_;
  fake::select(kImage, {});
  refused("Nothing is selected");
  fake::select(kImage, {60, 50, 40, 30});
  fake::world().indexed = true;
  refused("indexed");
  fake::world().indexed = false;
  fake::world().floating = true;
  refused("floating selection");
  fake::world().floating = false;
  fake::world().quick_mask = true;
  refused("quick mask");
  fake::world().quick_mask = false;
  call_.target = host::selection(kImage);
  refused("choose a layer");
}

TEST_F(Plugin, AHostThatTakesNoLayerClosesItsUndoGroup) {
  fake::world().room = 0;
  const Outcome outcome = run(call_, no_dialog);
  EXPECT_EQ(outcome.status, Outcome::Status::failed);
  EXPECT_EQ(fake::world().log,
            (std::vector<std::string>{"make", "changed", "undo begin", "delete", "delete", "undo end", "progress end"}))
      << "the layer and the selection's channel";
  EXPECT_TRUE(fake::world().channels[kImage].empty());
}

TEST_F(Plugin, WhatIsGoneBeforeTheResultIsWrittenIsSaid) {
  const auto remove = [](Id item) {
    auto& stack = fake::world().stacks[kImage];
    stack.erase(std::remove(stack.begin(), stack.end(), item), stack.end());
    fake::world().items.erase(item);
  };
  const auto fails = [&](const char* word) {
    const Outcome outcome = run(call_, no_dialog);
    EXPECT_EQ(outcome.status, Outcome::Status::failed);
    EXPECT_NE(outcome.message.find(word), std::string::npos) << outcome.message;
    EXPECT_EQ(fake::world().log, (std::vector<std::string>{"progress end"}));
    fake::reset();
    SetUp();
  };
  fake::world().during = [&](double done) {
    if (done > 0.8) fake::world().stacks.erase(kImage);
  };
  fails("The image was closed");
  fake::world().during = [&](double done) {
    if (done > 0.8 && host::is_layer(target_)) remove(target_);
  };
  fails("The layer was deleted");
  // The reference was read before, so its deletion does no harm.
  fake::world().during = [&](double done) {
    if (done > 0.8 && host::is_layer(source_)) remove(source_);
  };
  const Outcome outcome = run(call_, no_dialog);
  ASSERT_EQ(outcome.status, Outcome::Status::done) << outcome.message;
  EXPECT_EQ(host::item_name(outcome.layer), "Geometry from dent");
  fake::world().during = nullptr;
}

TEST_F(Plugin, ACancelledDialogIsQuiet) {
  call_.mode = Call::Mode::interactive;
  const Outcome outcome = run(call_, [](Call&) { return false; });
  EXPECT_EQ(outcome.status, Outcome::Status::cancelled);
  EXPECT_TRUE(outcome.message.empty());
  EXPECT_TRUE(fake::world().log.empty());
  EXPECT_TRUE(fake::world().user.empty()) << "last values stay as they were";
}

TEST_F(Plugin, ApplyMakesALayerAndTheDialogGoesOn) {
  call_.mode = Call::Mode::interactive;
  const Outcome first = run(call_, [](Call&) { return true; });
  ASSERT_EQ(first.status, Outcome::Status::done) << first.message;
  call_.target = first.layer;  // the first one applied replaces it
  call_.source = kNone;
  fake::world().log.clear();
  std::vector<Id> applied;
  int drawn = 0;
  const Outcome outcome = run(call_, [&](Call& call) {
    EXPECT_EQ(call.previous, first.layer);
    for (const double shift : {12, 60}) {
      call.request.placement.shift_x = shift;
      call.apply(call, [&] { ++drawn; });
      EXPECT_EQ(call.previous, kNone) << "the next one replaces nothing";
      EXPECT_EQ(call.request.placement.shift_x, shift);
      applied.push_back(call.applied);
    }
    return false;
  });
  EXPECT_EQ(outcome.status, Outcome::Status::done) << "what was applied stays";
  EXPECT_EQ(outcome.layer, applied[1]);
  EXPECT_EQ(fake::world().stacks[kImage], (std::vector<Id>{applied[1], applied[0], target_, source_}));
  EXPECT_EQ(host::extent(applied[1]).x, host::extent(applied[0]).x + 48);
  EXPECT_EQ(std::count(fake::world().log.begin(), fake::world().log.end(), "undo begin"), 2) << "one undo step each";
  EXPECT_GT(drawn, 2);
  EXPECT_EQ(last_settings().request.placement.shift_x, 60);
}

TEST_F(Plugin, ApplyThatFailsLeavesTheDialogAndTheImage) {
  call_.mode = Call::Mode::interactive;
  const Outcome outcome = run(call_, [&](Call& call) {
    call.source = target_;
    EXPECT_THROW(call.apply(call, {}), Error);
    EXPECT_EQ(call.applied, kNone);
    return false;
  });
  EXPECT_EQ(outcome.status, Outcome::Status::cancelled);
  EXPECT_EQ(fake::world().stacks[kImage].size(), 2u);
}

TEST_F(Plugin, CopiesAreOneUndoStep) {
  call_.mode = Call::Mode::interactive;
  fake::select(kImage, {60, 50, 20, 16});
  const Outcome outcome = run(call_, [](Call& call) {
    call.copies.count = 4;
    return true;
  });
  ASSERT_EQ(outcome.status, Outcome::Status::done) << outcome.message;
  const auto& stack = fake::world().stacks[kImage];
  ASSERT_EQ(stack.size(), 6u);
  const auto& log = fake::world().log;
  ASSERT_FALSE(log.empty());
  EXPECT_EQ(log.front(), "undo begin") << "nothing is written before all is computed";
  int depth = 0, steps = 0;
  for (const std::string& line : log) {
    if (line == "undo begin" && depth++ == 0) ++steps;
    if (line == "undo end") --depth;
  }
  EXPECT_EQ(steps, 1);
  std::vector<Rect> places;
  for (int i = 0; i < 4; ++i) places.push_back(host::extent(stack[i]));
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < i; ++j) EXPECT_FALSE(places[i] == places[j]);
  Remembered settings;
  ASSERT_TRUE(layer_settings(stack[0], settings));
  EXPECT_NE(settings.request.placement.shift_x, 0) << "each remembers its own placement";
  EXPECT_EQ(last_settings().request.placement.shift_x, 0) << "and the dialog that of the first";
}

TEST(CopiesOf, LieApartWithinTheSpreadAndTheTarget) {
  const Rect selected = {100, 100, 40, 20}, target = {0, 0, 400, 300};
  Placement first;
  first.shift_x = 10;
  first.scale = 0.5;
  Copies copies;
  copies.count = 6;
  copies.spread = 5;
  const std::vector<Placement> all = placements_of(copies, first, selected, target);
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(all[0].shift_x, 10);
  EXPECT_EQ(all[0].scale, 0.5);
  EXPECT_EQ(all[0].rotation, 0);
  for (size_t i = 1; i < all.size(); ++i) {
    EXPECT_LE(std::hypot(all[i].shift_x - 10, all[i].shift_y), 5 * 20 + 1);
    EXPECT_LE(std::abs(all[i].rotation), 20);
    EXPECT_NE(all[i].rotation, 0);
    for (size_t j = 0; j < i; ++j)
      EXPECT_GT(std::hypot(all[i].shift_x - all[j].shift_x, all[i].shift_y - all[j].shift_y), 15) << i << " " << j;
  }
  EXPECT_EQ(placements_of(copies, first, selected, target)[5].shift_x, all[5].shift_x);
  copies.seed = 2;
  EXPECT_NE(placements_of(copies, first, selected, target)[5].shift_x, all[5].shift_x);
  // In a corner, with more spread than there is target.
  copies.count = 20;
  copies.spread = 50;
  first.shift_x = first.shift_y = -110;
  for (const Placement& p : placements_of(copies, first, selected, target)) {
    EXPECT_GE(120 + p.shift_x, 0);
    EXPECT_LT(120 + p.shift_x, 400);
    EXPECT_GE(110 + p.shift_y, 0);
    EXPECT_LT(110 + p.shift_y, 300);
  }
}

TEST_F(Plugin, TheDialogStartsFromTheLastRunAndAResultLeadsBackToItsTarget) {
  call_.mode = Call::Mode::interactive;
  const Outcome first = run(call_, [](Call& call) {
    call.request.preset = "instant";
    call.request.placement.shift_x = 12;
    return true;
  });
  ASSERT_EQ(first.status, Outcome::Status::done) << first.message;
  call_.target = first.layer;  // after a run GIMP has the result active
  call_.source = kNone;
  bool asked = false;
  run(call_, [&](Call& call) {
    asked = true;
    EXPECT_EQ(call.target, target_);
    EXPECT_EQ(call.source, source_);
    EXPECT_EQ(call.request.placement.shift_x, 12);
    EXPECT_EQ(call.request.preset, "instant");
    return false;
  });
  EXPECT_TRUE(asked);
  call_.mode = Call::Mode::last_values;
  const Outcome again = run(call_, no_dialog);
  ASSERT_EQ(again.status, Outcome::Status::done) << again.message;
  EXPECT_EQ(host::extent(again.layer), host::extent(first.layer));
}

TEST_F(Plugin, AQualityThatWasCancelledIsNotRememberedForOtherImages) {
  call_.mode = Call::Mode::interactive;
  fake::world().during = [](double) { throw Cancelled(); };
  run(call_, [](Call& call) {
    call.request.preset = "paper";
    return true;
  });
  const auto preset_at_start = [&](Id image) {
    Call call = call_;
    call.image = image;
    std::string preset;
    run(call, [&](Call& c) {
      preset = c.request.preset;
      return false;
    });
    return preset;
  };
  EXPECT_EQ(preset_at_start(kImage), "paper");
  EXPECT_EQ(preset_at_start(2), Request{}.preset);
}

/// After File > Open as Layers, the new layer is on top and active.
class OpenedAsLayers : public Plugin {
 protected:
  void SetUp() override {
    Plugin::SetUp();
    call_.mode = Call::Mode::interactive;
    call_.source = kNone;
  }
  /// Runs the call and returns the dialog's reference, target and hint.
  Call sides() {
    Call seen;
    run(call_, [&](Call& call) {
      seen = call;
      return false;
    });
    return seen;
  }
};

TEST_F(OpenedAsLayers, TheActiveLayerThatHoldsTheSelectionIsTheReference) {
  const Call guessed = sides();
  EXPECT_EQ(guessed.source, target_);
  EXPECT_EQ(guessed.target, source_);
  EXPECT_NE(guessed.hint.find("wall"), std::string::npos) << "the guess is shown";
}

TEST_F(OpenedAsLayers, NotWhereNothingVisibleLiesBelow) {
  fake::world().items[source_].visible = false;
  EXPECT_EQ(sides().target, target_);
  EXPECT_TRUE(sides().hint.empty());
}

TEST_F(OpenedAsLayers, NotWhereTheSelectionLiesBesideIt) {
  fake::world().items[target_].area = {0, 0, 70, 160};  // covers a quarter of the selection
  EXPECT_EQ(sides().target, target_);
}

TEST_F(OpenedAsLayers, NotWhereTheUserHasDecidedOtherwise) {
  Call chosen = call_;
  chosen.source = source_;
  ASSERT_EQ(run(chosen, [](Call& call) { return call.request.preset = "instant", true; }).status, Outcome::Status::done);
  EXPECT_EQ(sides().target, target_);
}

TEST_F(OpenedAsLayers, TheReferenceIsHiddenWithTheSameUndoStep) {
  const Outcome outcome = run(call_, [](Call& call) { return call.request.preset = "instant", true; });
  ASSERT_EQ(outcome.status, Outcome::Status::done) << outcome.message;
  EXPECT_EQ(fake::world().stacks[kImage], (std::vector<Id>{target_, outcome.layer, source_}));
  EXPECT_FALSE(fake::world().items[target_].visible) << "or it would cover the result";
  const auto& log = fake::world().log;
  const auto hidden = std::find(log.begin(), log.end(), "hide");
  ASSERT_NE(hidden, log.end());
  EXPECT_LT(hidden, std::find(log.begin(), log.end(), "undo end"));
}

/// GIMP 3 lets the user select several layers.
class TwoSelected : public OpenedAsLayers {
 protected:
  void SetUp() override {
    OpenedAsLayers::SetUp();
    call_.selected = {source_, target_};  // the lower one first
    call_.target = source_;
  }
};

TEST_F(TwoSelected, TheUpperOneIsTheReference) {
  fake::world().items[target_].visible = false;  // so that nothing is guessed by what is seen
  for (const auto mode : {Call::Mode::interactive, Call::Mode::last_values}) {
    call_.mode = mode;
    const Outcome outcome = run(call_, [&](Call& call) {
      EXPECT_EQ(call.source, target_);
      EXPECT_EQ(call.target, source_);
      EXPECT_NE(call.hint.find("wall"), std::string::npos) << call.hint;
      return true;
    });
    ASSERT_EQ(outcome.status, Outcome::Status::done) << outcome.message;
    EXPECT_EQ(host::item_name(outcome.layer), "Geometry from wall");
  }
}

TEST_F(TwoSelected, UnlessOnlyTheLowerOneHoldsTheSelection) {
  fake::world().items[target_].area = {0, 0, 70, 160};
  EXPECT_EQ(sides().source, source_);
  EXPECT_EQ(sides().target, target_);
}

TEST_F(TwoSelected, AResultAmongThemIsEditedAgain) {
  call_.mode = Call::Mode::noninteractive;
  call_.selected = {};
  call_.target = target_;
  call_.source = source_;
  const Id result = run(call_, no_dialog).layer;
  ASSERT_NE(result, kNone);
  call_.mode = Call::Mode::interactive;
  call_.selected = {result, source_};
  const Call seen = sides();
  EXPECT_EQ(seen.previous, result);
  EXPECT_EQ(seen.target, target_);
  EXPECT_EQ(seen.source, source_);
}

TEST_F(TwoSelected, OthersAreRefusedWithTheWayOut) {
  call_.mode = Call::Mode::noninteractive;
  call_.source = target_;
  refused("one layer");
  call_.mode = Call::Mode::interactive;
  call_.source = kNone;
  call_.selected.push_back(target_);
  refused("two layers");
  call_.selected = {target_, host::selection(kImage)};
  refused("two layers");
}

TEST_F(Plugin, TheResultGoesAboveALayerThatWouldHideIt) {
  const Id cover = fake::layer(kImage, "cover", {0, 0, 200, 160}, kClay),
           small = fake::layer(kImage, "small", {0, 0, 9, 9}, kClay);
  auto& stack = fake::world().stacks[kImage];
  stack = {small, cover, target_, source_};
  const Outcome outcome = run(call_, no_dialog);
  ASSERT_EQ(outcome.status, Outcome::Status::done) << outcome.message;
  EXPECT_EQ(stack, (std::vector<Id>{small, outcome.layer, cover, target_, source_}));
}

TEST_F(Plugin, AResultKeepsItsSelection) {
  const Outcome first = run(call_, no_dialog);
  ASSERT_EQ(fake::world().channels[kImage].size(), 1u);
  EXPECT_FALSE(fake::world().items[fake::world().channels[kImage][0]].layer);
  fake::select(kImage, {});
  call_.target = first.layer;
  call_.source = kNone;
  call_.mode = Call::Mode::last_values;
  const Outcome again = run(call_, no_dialog);
  ASSERT_EQ(again.status, Outcome::Status::done) << again.message;
  EXPECT_EQ(host::extent(again.layer), host::extent(first.layer));
  EXPECT_EQ(fake::world().stacks[kImage], (std::vector<Id>{again.layer, target_, source_}));
  EXPECT_EQ(fake::world().channels[kImage].size(), 1u) << "the same selection is kept once";
}

TEST_F(Plugin, AnotherSelectionOnAResultIsAnotherTransfer) {
  call_.request.placement.shift_x = 9;
  const Outcome first = run(call_, no_dialog);
  fake::select(kImage, {100, 90, 30, 30});
  call_.target = first.layer;
  call_.mode = Call::Mode::last_values;
  const Outcome second = run(call_, no_dialog);
  ASSERT_EQ(second.status, Outcome::Status::done) << second.message;
  EXPECT_EQ(fake::world().stacks[kImage], (std::vector<Id>{second.layer, first.layer, target_, source_}));
  EXPECT_GT(host::extent(second.layer).x, 90);
  EXPECT_LT(host::extent(second.layer).x, 101) << "the placement was the other selection's";
  EXPECT_EQ(fake::world().channels[kImage].size(), 2u);
}

TEST_F(Plugin, TheSelectionSaysWhetherThePlacementStays) {
  call_.mode = Call::Mode::interactive;
  run(call_, [](Call& call) {
    call.request.preset = "instant";
    call.request.placement.scale = 1.25;
    return true;
  });
  const auto scale = [&] {
    double found = 0;
    run(call_, [&](Call& call) {
      found = call.request.placement.scale;
      return false;
    });
    return found;
  };
  EXPECT_EQ(scale(), 1.25);
  fake::select(kImage, {60, 50, 40, 31});
  EXPECT_EQ(scale(), 1);
}

TEST_F(Plugin, TheKindNamesTheResultAndIsRemembered) {
  call_.mode = Call::Mode::interactive;
  const Outcome first = run(call_, [](Call& call) {
    call.request.preset = "instant";
    call.kind = "crack";
    return true;
  });
  ASSERT_EQ(first.status, Outcome::Status::done) << first.message;
  EXPECT_EQ(host::item_name(first.layer), "Crack from dent");
  call_.target = first.layer;
  run(call_, [](Call& call) {
    EXPECT_EQ(call.kind, "crack");
    return false;
  });
  EXPECT_EQ(parse_settings("kind=nonsense").kind, "automatic");
}

TEST(Kinds, SetWhatTheyDecide) {
  Request request;
  apply_preset(request, "best");
  apply_kind(request, find_kind("water"));
  EXPECT_EQ(request.show_through, 0.5);
  apply_kind(request, find_kind("chipped"));
  EXPECT_EQ(request.show_through, 0);
  EXPECT_EQ(request.own_material, 1);
  EXPECT_EQ(request.preset, "best") << "the quality is another matter";
  apply_kind(request, find_kind("nonsense"));
  EXPECT_EQ(request.own_material, kAutomatic);
}

TEST_F(Plugin, NamedSettingsAreSavedChosenAndDeleted) {
  EXPECT_TRUE(named_settings().empty());
  Request rust;
  apply_preset(rust, "paper");
  rust.own_material = 0.75;
  rust.feather = 9;
  rust.placement.shift_x = 40;
  rust.threads = 3;
  save_named({"Rust [old]", rust, "chipped"});
  save_named({"Plain", {}, "automatic"});
  ASSERT_EQ(named_settings().size(), 2u);
  EXPECT_EQ(named_settings()[0].name, "Plain");
  const NamedSettings saved = named_settings()[1];
  EXPECT_EQ(saved.name, "Rust [old]");

  Request request;
  request.placement.shift_x = -5;
  request.threads = 1;
  std::string kind = "water";
  EXPECT_FALSE(equals_named(saved, request, kind));
  apply_named(saved, request, kind);
  EXPECT_TRUE(equals_named(saved, request, kind));
  EXPECT_EQ(kind, "chipped");
  EXPECT_EQ(request.preset, "paper");
  EXPECT_EQ(request.steps, rust.steps);
  EXPECT_EQ(request.own_material, 0.75);
  EXPECT_EQ(request.feather, 9);
  EXPECT_EQ(request.placement.shift_x, -5) << "the placement is of one picture";
  EXPECT_EQ(request.threads, 1) << "threads are of the machine";

  rust.feather = 2;
  save_named({"Rust [old]", rust, "chipped"});
  ASSERT_EQ(named_settings().size(), 2u) << "the same name replaces";
  EXPECT_EQ(named_settings()[1].request.feather, 2);
  save_named({"two\nlines=1", rust, "crack"});
  EXPECT_EQ(named_settings().back().name, "two lines=1");
  EXPECT_THROW(save_named({"  ", rust, "crack"}), Error);
  delete_named("Plain");
  delete_named("nothing of that name");
  EXPECT_EQ(named_settings().size(), 2u);
  fake::world().user["geometry-transfer-named"] = "rubbish\n[]\n[a]\nfeather=no number\n[b]";
  ASSERT_EQ(named_settings().size(), 2u);
  EXPECT_EQ(named_settings()[0].request.feather, Request{}.feather);
}

TEST_F(Plugin, AnActiveLayerMaskMeansItsLayer) {
  fake::mask(target_, {0, 0, 200, 160});
  call_.target = host::layer_mask(target_);
  call_.mode = Call::Mode::interactive;
  run(call_, [&](Call& call) {
    EXPECT_EQ(call.target, target_);
    return false;
  });
  call_.mode = Call::Mode::noninteractive;
  refused("choose a layer");
}

TEST_F(Plugin, AResultIsNotOfferedAsReference) {
  const Outcome first = run(call_, no_dialog);
  auto& stack = fake::world().stacks[kImage];
  stack = {first.layer, target_};
  Call call;
  call.image = kImage;
  call.target = target_;
  call.mode = Call::Mode::interactive;
  run(call, [&](Call& c) {
    EXPECT_EQ(c.source, kNone);
    return false;
  });
}

TEST_F(Plugin, TheMiddleOfASelectionIsItsCentreOfGravity) {
  const SceneFromLayers scene_layers(kImage, target_, source_);
  EXPECT_NEAR(scene_layers.centre_x(), 80, 0.01);
  EXPECT_NEAR(scene_layers.centre_y(), 65, 0.01);
}

TEST_F(Plugin, AReferenceInAnotherImageLandsInTheMiddleOfTheTarget) {
  const Id away = fake::layer(2, "elsewhere", {0, 0, 300, 300}, kSteel);
  fake::select(2, {200, 210, 60, 40});
  fake::select(kImage, {});
  const SceneFromLayers scene_layers(kImage, target_, away);
  EXPECT_EQ(scene_layers.selected(), (Rect{70, 60, 60, 40}));
  float pixel[4];
  scene_layers.scene().references[0].mask->read({100, 80, 1, 1}, {1, 1}, pixel);
  EXPECT_EQ(pixel[0], 1);
}

/// A reference in image 2 for a target in this one.
class BroughtIn : public Plugin {
 protected:
  void SetUp() override {
    Plugin::SetUp();
    const float grey[4] = {0.5f, 0.5f, 0.5f, 1}, dark[4] = {0.2f, 0.2f, 0.2f, 1};
    away_ = fake::layer(2, "elsewhere", {0, 0, 300, 300}, grey);
    const GeglRectangle dent = {215, 220, 30, 20};
    std::vector<float> pixels;
    for (int i = 0; i < dent.width * dent.height; ++i) pixels.insert(pixels.end(), dark, dark + 4);
    gegl_buffer_set(fake::world().items[away_].buffer, &dent, 0, babl_format("R'G'B'A float"), pixels.data(),
                    GEGL_AUTO_ROWSTRIDE);
    fake::select(2, {200, 210, 60, 40});
    fake::select(kImage, {});
    call_.mode = Call::Mode::interactive;
  }
  Dialog wanting(bool bring_in) {
    return [=](Call& call) {
      call.source = away_;
      call.request.preset = "instant";
      call.bring_in = bring_in;
      return true;
    };
  }
  std::vector<float> all_of(Id layer) {
    const Rect area = host::extent(layer);
    std::vector<float> pixels(4 * static_cast<size_t>(area.width) * area.height);
    gegl_buffer_get(host::pixels(layer).get(), nullptr, 1, babl_format("R'G'B'A float"), pixels.data(), GEGL_AUTO_ROWSTRIDE,
                    GEGL_ABYSS_NONE);
    return pixels;
  }
  Id away_ = kNone;
};

TEST_F(BroughtIn, AHiddenCopyWithTheSelectionAsItsMaskInTheSameUndoStep) {
  const Outcome outcome = run(call_, wanting(true));
  ASSERT_EQ(outcome.status, Outcome::Status::done) << outcome.message;
  const auto& stack = fake::world().stacks[kImage];
  ASSERT_EQ(stack.size(), 4u);
  EXPECT_EQ((std::vector<Id>{stack[0], stack[1], stack[3]}), (std::vector<Id>{outcome.layer, target_, source_}));
  const Id copy = stack[2];
  EXPECT_EQ(host::item_name(copy), "elsewhere");
  EXPECT_FALSE(fake::world().items[copy].visible);
  // The selection's middle, 230,230, goes to the target's middle, 100,80.
  EXPECT_EQ(host::extent(copy), (Rect{-130, -150, 300, 300}));
  EXPECT_EQ(all_of(copy), all_of(away_));
  float pixel;
  const GeglRectangle in = {200, 210, 1, 1}, out = {199, 210, 1, 1};
  const host::Buffer mask = host::pixels(host::layer_mask(copy));
  gegl_buffer_get(mask.get(), &in, 1, babl_format("Y float"), &pixel, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
  EXPECT_EQ(pixel, 1);
  gegl_buffer_get(mask.get(), &out, 1, babl_format("Y float"), &pixel, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
  EXPECT_EQ(pixel, 0);
  const auto& log = fake::world().log;
  EXPECT_EQ(std::count(log.begin(), log.end(), "undo begin"), 1);
  EXPECT_GT(std::find(log.begin(), log.end(), "insert"), std::find(log.begin(), log.end(), "undo begin"));
}

TEST_F(BroughtIn, RepeatGivesTheSameWithoutTheOtherImage) {
  const Outcome first = run(call_, wanting(true));
  ASSERT_EQ(first.status, Outcome::Status::done) << first.message;
  fake::world().stacks.erase(2);
  for (const Id gone : {away_, host::selection(2)}) {
    g_object_unref(fake::world().items[gone].buffer);
    fake::world().items.erase(gone);
  }
  // The present selection does not matter for it.
  fake::select(kImage, {0, 0, 10, 10});
  call_.mode = Call::Mode::last_values;
  call_.target = first.layer;
  call_.source = kNone;
  const Outcome again = run(call_, no_dialog);
  ASSERT_EQ(again.status, Outcome::Status::done) << again.message;
  EXPECT_EQ(host::item_name(again.layer), "Geometry from elsewhere");
  EXPECT_EQ(host::extent(again.layer), host::extent(first.layer));
  EXPECT_EQ(all_of(again.layer), all_of(first.layer));
}

TEST_F(BroughtIn, OnceForSeveralCopiesAndPlacements) {
  call_.mode = Call::Mode::interactive;
  const Outcome outcome = run(call_, [&](Call& call) {
    wanting(true)(call);
    call.copies.count = 2;
    call.apply(call, {});
    EXPECT_EQ(host::image_of(call.source), kImage) << "the copy is the reference from now on";
    EXPECT_TRUE(call.bring_in) << "the user's wish stays";
    call.copies.count = 1;
    call.request.placement.shift_x = 20;
    return true;
  });
  ASSERT_EQ(outcome.status, Outcome::Status::done) << outcome.message;
  EXPECT_EQ(fake::world().stacks[kImage].size(), 2 + 3 + 1u) << "three results, one copy of the reference";
}

TEST_F(BroughtIn, NothingIsWhereItIsNotWantedOrHereAlready) {
  ASSERT_EQ(run(call_, wanting(false)).status, Outcome::Status::done);
  EXPECT_EQ(fake::world().stacks[kImage].size(), 3u);
  fake::select(kImage, {60, 50, 40, 30});
  const Outcome here = run(call_, [this](Call& call) {
    call.source = source_;
    return call.bring_in = true;
  });
  ASSERT_EQ(here.status, Outcome::Status::done) << here.message;
  EXPECT_EQ(fake::world().stacks[kImage].size(), 4u);
}

TEST_F(BroughtIn, FurtherReferencesComeAlongAndAreRemembered) {
  const Id more = fake::layer(2, "more", {0, 0, 300, 300}, kClay);
  const Outcome outcome = run(call_, [&](Call& call) {
    wanting(true)(call);
    call.further = {{more, Reference::Role::texture, 0.5}};
    return true;
  });
  ASSERT_EQ(outcome.status, Outcome::Status::done) << outcome.message;
  const auto& stack = fake::world().stacks[kImage];
  ASSERT_EQ(stack.size(), 5u);
  Remembered remembered;
  ASSERT_TRUE(layer_settings(outcome.layer, remembered));
  ASSERT_EQ(remembered.further.size(), 1u);
  const Id copy = host::item_of_tattoo(kImage, static_cast<unsigned>(remembered.further[0].layer));
  EXPECT_EQ(host::item_name(copy), "more");
  EXPECT_EQ(host::layer_mask(copy), kNone) << "all of it is texture";
  EXPECT_EQ(remembered.further[0].weight, 0.5);
}

TEST_F(BroughtIn, AHostThatRefusesLateHasNothingOfIt) {
  const Id more = fake::layer(2, "more", {0, 0, 300, 300}, kClay);
  const auto before = fake::world().stacks;
  const size_t items = fake::world().items.size();
  const auto refused_after = [&](int room, int removed) {
    fake::world().log.clear();
    fake::world().room = room;
    const Outcome outcome = run(call_, [&](Call& call) {
      wanting(true)(call);
      call.further = {{more, Reference::Role::texture, 0.5}};
      return true;
    });
    EXPECT_EQ(outcome.status, Outcome::Status::failed);
    EXPECT_NE(outcome.message.find("did not accept"), std::string::npos) << outcome.message;
    EXPECT_EQ(fake::world().stacks, before) << room;
    const auto& log = fake::world().log;
    EXPECT_EQ(std::count(log.begin(), log.end(), "remove"), removed);
    // Inserted layers are removed within the same undo step. The others, which were not inserted, are deleted.
    const auto end = std::find(log.begin(), log.end(), "undo end");
    EXPECT_EQ(std::count(log.begin(), end, "remove"), removed);
    EXPECT_EQ(std::count(log.begin(), log.end(), "delete") + removed, std::count(log.begin(), log.end(), "make"));
  };
  fake::world().no_masks = true;
  refused_after(1000, 0);
  EXPECT_EQ(fake::world().items.size(), items);
  fake::world().no_masks = false;
  refused_after(0, 0);
  EXPECT_EQ(fake::world().items.size(), items);
  refused_after(1, 1);
  refused_after(2, 2);
}

class SeveralReferences : public Plugin {
 protected:
  static constexpr auto kGeometry = Reference::Role::geometry, kTexture = Reference::Role::texture;
  float mask_at(const SceneFromLayers& layers, int reference, int x, int y) const {
    const Raster& mask = *layers.scene().references[reference].mask;
    const Rect e = mask.extent();
    if (x < e.x || y < e.y || x >= e.right() || y >= e.bottom()) return 0;
    float pixel;
    mask.read({x, y, 1, 1}, {1, 1}, &pixel);
    return pixel;
  }
  /// Makes a second layer beside the first, with one selection over both.
  Id beside() {
    fake::world().items[source_].area = {0, 0, 100, 160};
    fake::select(kImage, {60, 50, 80, 30});
    return fake::layer(kImage, "hole", {100, 0, 100, 160}, kClay);
  }
};

TEST_F(SeveralReferences, OfASharedSelectionEachTakesWhatLiesOnIt) {
  const Id hole = beside();
  const SceneFromLayers scene_layers(kImage, target_, source_, {{hole, kGeometry, 0.5}});
  ASSERT_EQ(scene_layers.scene().references.size(), 2u);
  EXPECT_EQ(scene_layers.scene().references[0].mask->extent(), (Rect{60, 50, 40, 30}));
  EXPECT_EQ(scene_layers.scene().references[1].mask->extent(), (Rect{100, 50, 40, 30}));
  EXPECT_EQ(scene_layers.scene().references[0].weight, 1);
  EXPECT_EQ(scene_layers.scene().references[1].weight, 0.5);
  EXPECT_NEAR(scene_layers.centre_x(), 100, 0.01);
  EXPECT_NEAR(scene_layers.centre_y(), 65, 0.01);
}

TEST_F(SeveralReferences, ALayerMaskSaysWhereTheFurtherOneHasItsGeometry) {
  const Id hole = fake::layer(kImage, "hole", {20, 30, 100, 100}, kClay);
  fake::mask(hole, {10, 10, 20, 20});
  fake::mask(source_, {0, 0, 1, 1});  // not used: the main reference has the selection
  const SceneFromLayers scene_layers(kImage, target_, source_, {{hole, kGeometry, 1}});
  EXPECT_EQ(mask_at(scene_layers, 0, 70, 60), 1);
  EXPECT_EQ(mask_at(scene_layers, 1, 40, 50), 1);
  EXPECT_EQ(mask_at(scene_layers, 1, 70, 70), 0);
  // Means of 40 x 30 pixels around (80, 65) and 20 x 20 around (40, 50).
  EXPECT_NEAR(scene_layers.centre_x(), (1200 * 80 + 400 * 40) / 1600., 0.01);
  EXPECT_NEAR(scene_layers.centre_y(), (1200 * 65 + 400 * 50) / 1600., 0.01);
}

TEST_F(SeveralReferences, OneInAnotherImageLandsWhereThisOnesSelectionIs) {
  const Id away = fake::layer(2, "elsewhere", {0, 0, 300, 300}, kSteel);
  fake::select(2, {200, 210, 60, 40});
  const SceneFromLayers scene_layers(kImage, target_, source_, {{away, kGeometry, 1}});
  EXPECT_EQ(scene_layers.scene().references[1].mask->extent(), (Rect{50, 45, 60, 40}));
  fake::mask(away, {0, 0, 300, 300});
  const SceneFromLayers masked(kImage, target_, source_, {{away, kGeometry, 1}});
  EXPECT_EQ(masked.scene().references[1].mask->extent(), (Rect{-70, -85, 300, 300}));
}

TEST_F(SeveralReferences, TextureIsTheWholeLayerOrWhatItsMaskShows) {
  const Id more = fake::layer(kImage, "more clay", {20, 30, 100, 100}, kClay);
  const SceneFromLayers whole(kImage, target_, source_, {{more, kTexture, 2}});
  EXPECT_EQ(whole.scene().references[1].role, kTexture);
  EXPECT_EQ(whole.scene().references[1].mask, nullptr);
  EXPECT_EQ(whole.scene().references[1].weight, 2);
  EXPECT_NEAR(whole.centre_x(), 80, 0.01) << "nothing of it is carried over";
  fake::mask(more, {10, 10, 20, 20});
  const SceneFromLayers part(kImage, target_, source_, {{more, kTexture, 2}});
  EXPECT_EQ(mask_at(part, 1, 35, 45), 1);
  EXPECT_EQ(mask_at(part, 1, 90, 90), 0);
}

TEST_F(SeveralReferences, BothAreInTheResult) {
  const Id hole = beside();
  const Outcome one = run(call_, no_dialog);
  call_.further = {{hole, kGeometry, 1}};
  const Outcome both = run(call_, no_dialog);
  ASSERT_EQ(both.status, Outcome::Status::done) << both.message;
  EXPECT_LT(host::extent(one.layer).right(), 110);
  EXPECT_GT(host::extent(both.layer).right(), 135);
}

TEST_F(SeveralReferences, WhatIsNoneIsRefused) {
  call_.further = {{source_, kGeometry, 1}};
  refused("twice");
  call_.further = {{target_, kTexture, 1}};
  refused("another layer");
  call_.further = {{4711, kTexture, 1}};
  refused("4711");
}

TEST_F(SeveralReferences, AreRememberedInTheirImageAndForgottenInAnother) {
  const Id hole = fake::layer(kImage, "hole", {0, 0, 100, 100}, kClay),
           gone = fake::layer(kImage, "gone", {0, 0, 100, 100}, kClay);
  const std::vector<FurtherReference> chosen = {{hole, kGeometry, 0.5}, {gone, kTexture, 2}};
  call_.mode = Call::Mode::interactive;
  const Outcome first = run(call_, [&](Call& call) {
    call.request.preset = "instant";
    call.request.placement.shift_x = 7;
    call.further = chosen;
    return true;
  });
  ASSERT_EQ(first.status, Outcome::Status::done) << first.message;
  const auto started_from = [](Call call) {
    std::vector<FurtherReference> found;
    run(call, [&](Call& c) {
      found = c.further;
      return false;
    });
    return found;
  };
  EXPECT_EQ(started_from(call_), chosen);
  // Another image, whose layers have the remembered numbers.
  for (auto& [id, item] : fake::world().items) item.image = 2;
  fake::world().stacks[2] = fake::world().stacks[kImage];
  fake::world().selections[2] = fake::world().selections[kImage];
  fake::world().selected[2] = fake::world().selected[kImage];
  Call other = call_;
  other.image = 2;
  EXPECT_TRUE(started_from(other).empty());
  other.source = kNone;
  run(other, [&](Call& c) {
    EXPECT_EQ(c.request.placement.shift_x, 0);
    return false;
  });
  other.source = source_;
  // A result keeps its references, wherever it was saved. Deleted layers are left out.
  other.target = first.layer;
  fake::world().items.erase(gone);
  EXPECT_EQ(started_from(other), (std::vector<FurtherReference>{{hole, kGeometry, 0.5}}));
}

TEST_F(SeveralReferences, ANoteThatNamesOneLayerAgainAndAgainOrTooManyDoesNotFillTheDialog) {
  const Id hole = fake::layer(kImage, "hole", {0, 0, 100, 100}, kClay);
  const Outcome first = run(call_, no_dialog);
  ASSERT_EQ(first.status, Outcome::Status::done) << first.message;
  const auto started_from = [&](int count) {
    Remembered note;
    note.target = host::tattoo(target_);
    note.source = host::tattoo(source_);
    note.further.assign(count, {host::tattoo(hole), kTexture, 2});
    set_layer_settings(first.layer, note);
    Call call = call_;
    call.mode = Call::Mode::interactive;
    call.target = first.layer;
    std::vector<FurtherReference> found;
    run(call, [&](Call& c) {
      found = c.further;
      return false;
    });
    return found;
  };
  EXPECT_EQ(started_from(64), (std::vector<FurtherReference>{{hole, kTexture, 2}}));
  EXPECT_TRUE(started_from(16384).empty());
}

TEST(FurtherReferences, TooManyAreCounted) {
  std::vector<FurtherReference> list;
  for (int i = 1; i <= 64; ++i) list.push_back({i, Reference::Role::geometry, 1});
  EXPECT_EQ(parse_references(references_text(list)), list);
  for (int i = 65; i <= 1000; ++i) list.push_back({i, Reference::Role::geometry, 1});
  try {
    parse_references(references_text(list));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), Error::Kind::input);
    EXPECT_STREQ(e.what(), "1000 further references are too many: name 64 at most.");
  }
}

TEST(FurtherReferences, TextRoundTripsAndNonsenseIsRefused) {
  constexpr auto kGeometry = Reference::Role::geometry, kTexture = Reference::Role::texture;
  const std::vector<FurtherReference> list = {{12, kGeometry, 0.5}, {3000000000, kTexture, 1}};
  EXPECT_EQ(references_text(list), "12 geometry 0.5; 3000000000 texture 1");
  EXPECT_EQ(parse_references(references_text(list)), list);
  EXPECT_TRUE(parse_references(" ; ").empty());
  EXPECT_EQ(parse_references(" 7;8  texture "), (std::vector<FurtherReference>{{7, kGeometry, 1}, {8, kTexture, 1}}));
  for (const char* bad : {"x", "-1", "0", "1.5", "7 colour", "7 texture x", "7 texture 0", "7 texture 1e9", "7 texture nan",
                          "7 texture 1 1", "99999999999999999999", "7,8"})
    EXPECT_THROW(parse_references(bad), Error) << bad;
}

TEST(Settings, TextRoundTripsAndOldOrBrokenLinesKeepDefaults) {
  Remembered settings;
  settings.request.preset = "custom";
  settings.request.placement.rotation = -12.5;
  settings.request.colour = Colour::mean;
  settings.request.model = "/some where/model=1";
  settings.target = 7;
  settings.further = {{9, Reference::Role::texture, 0.25}};
  const Remembered back = parse_settings(settings_text(settings));
  EXPECT_EQ(settings_text(back), settings_text(settings));
  EXPECT_EQ(back.further, settings.further);
  EXPECT_TRUE(parse_settings("further-layers=nonsense").further.empty());
  const Remembered broken = parse_settings("scale=banana\nrotation=999999\nold-name=3\n\nnonsense\nfeather=9");
  EXPECT_EQ(broken.request.placement.scale, 1);
  EXPECT_EQ(broken.request.placement.rotation, 0);
  EXPECT_EQ(broken.request.feather, 9);
  // These are not numbers of layers, so none is taken.
  for (const char* number : {"-1e300", "nan", "99999999999999", "x"})
    EXPECT_EQ(parse_settings(std::string("target-layer=") + number).target, 0u) << number;
}

TEST_F(Plugin, AStrangersNoteDoesNotSayWhatThisMachineIsAskedFor) {
  Remembered stranger;
  stranger.request.model = "/a model";
  stranger.request.prediction = Prediction::v;
  stranger.request.feather = 7;
  stranger.request.device = Device::cuda;
  stranger.request.precision = Precision::fp32;
  stranger.request.threads = 1024;
  stranger.request.memory_mb = 1 << 24;
  set_layer_settings(target_, stranger);
  Remembered found;
  ASSERT_TRUE(layer_settings(target_, found));
  EXPECT_EQ(found.request.model, "/a model");
  EXPECT_EQ(found.request.prediction, Prediction::v);
  EXPECT_EQ(found.request.feather, 7);
  EXPECT_EQ(found.request.device, Device::automatic);
  EXPECT_EQ(found.request.precision, Precision::automatic);
  EXPECT_EQ(found.request.threads, 0);
  EXPECT_EQ(found.request.memory_mb, 0);
  // The value of the user's last run stays.
  Remembered last;
  last.request.model = "/another";
  last.request.device = Device::cpu;
  last.request.threads = 3;
  set_last_settings(last);
  ASSERT_TRUE(layer_settings(target_, found));
  EXPECT_EQ(found.request.model, "/a model");
  EXPECT_EQ(found.request.device, Device::cpu);
  EXPECT_EQ(found.request.threads, 3);
}

class ExpectedTime : public Plugin {
 protected:
  static Request preset(const char* id) {
    Request request;
    apply_preset(request, id);
    return request;
  }
  Work work_ = {{"a model", "/a", "surface", 200000000, ""}, {0, 0, 100, 80}, {0, 0, 400, 300}, 1, 0};
  Machine machine_ = {2, 1, false};
};

TEST_F(ExpectedTime, PassesAreCountedAsTheModelMakesThem) {
  // Report::unet_streams of transfers with the shipped model.
  EXPECT_EQ(unet_rows(preset("draft"), 1, 0), 3);
  EXPECT_EQ(unet_rows(preset("balanced"), 1, 0), 6);
  EXPECT_EQ(unet_rows(preset("best"), 1, 0), 40);
  Request paper = preset("paper");
  paper.steps = paper.iterations = 1;
  EXPECT_EQ(unet_rows(paper, 1, 0), 6);
  EXPECT_EQ(unet_rows(preset("draft"), 2, 0), 3) << "the edit holds both";
  EXPECT_EQ(unet_rows(preset("draft"), 1, 1), 4) << "a texture is inverted, too";
}

TEST_F(ExpectedTime, TheEstimateFollowsWhatItRestsOn) {
  const auto seconds = [&](const char* id) { return estimated_seconds(preset(id), work_, machine_); };
  EXPECT_LT(seconds("instant"), 1);
  EXPECT_LT(seconds("instant"), seconds("draft"));
  EXPECT_LT(seconds("draft"), seconds("balanced"));
  EXPECT_LT(seconds("balanced"), seconds("best"));
  EXPECT_LT(seconds("best"), seconds("paper"));
  const double before = seconds("balanced"), instant = seconds("instant");
  machine_.cores = 8;
  EXPECT_LT(seconds("balanced"), before / 2);
  machine_ = {2, 0.3, false};
  EXPECT_GT(seconds("balanced"), 2 * before);
  machine_ = {2, 1, false};
  work_.model.family = "SD 1.x";
  EXPECT_GT(seconds("balanced"), 10 * before);
  EXPECT_EQ(seconds("instant"), instant) << "no model";
  work_.model.family = "surface";
  work_.selected = {0, 0, 400, 300};
  EXPECT_GT(seconds("balanced"), 1.2 * before) << "no window";
  work_.target = {0, 0, 400, 100};
  EXPECT_LT(seconds("balanced"), before) << "a narrow picture";
  work_.selected = work_.target = {0, 0, 2000, 2000};
  EXPECT_GT(seconds("instant"), 5 * instant);
}

TEST_F(ExpectedTime, TheEstimateIsNearWhatWasMeasured) {
  // Measured on two cores of an EPYC with AVX2: the demo and a crack, each with two presets.
  const auto near = [&](const Request& request, double measured) {
    EXPECT_NEAR(estimated_seconds(request, work_, machine_), measured, measured / 4) << request.preset;
  };
  Request whole = preset("draft");
  whole.working_size = 1;
  work_.model.bytes = 94000000;
  work_.selected = {-20, 63, 565, 284};
  work_.target = {0, 0, 512, 512};
  near(whole, 3.3);
  near(preset("draft"), 2.3);
  near(preset("balanced"), 4.5);
  work_.selected = {40, 19, 157, 198};
  work_.target = {0, 0, 320, 320};
  near(whole, 2.6);
  near(preset("balanced"), 3.7);
}

TEST_F(ExpectedTime, ARunPutsItRightForItsModelsFamily) {
  const double guess = expected_time(preset("balanced"), work_, machine_).seconds;
  EXPECT_FALSE(expected_time(preset("balanced"), work_, machine_).measured);
  const double here = estimated_seconds(preset("balanced"), work_, this_machine());
  remember_time(preset("balanced"), work_, 3 * here);
  const auto now = [&](const char* id) { return expected_time(preset(id), work_, machine_); };
  EXPECT_NEAR(now("balanced").seconds, 3 * guess, 1e-3 * guess);
  EXPECT_TRUE(now("balanced").measured);
  EXPECT_NEAR(now("best").seconds, 3 * estimated_seconds(preset("best"), work_, machine_), 1e-2);
  EXPECT_FALSE(now("best").measured);
  EXPECT_EQ(now("instant").seconds, estimated_seconds(preset("instant"), work_, machine_))
      << "the model's speed is not the edit's";
  remember_time(preset("draft"), work_, estimated_seconds(preset("draft"), work_, this_machine()));
  EXPECT_NEAR(now("balanced").seconds, 3 * guess, 1e-3 * guess) << "its own run counts more than another's";
  EXPECT_NEAR(now("best").seconds, estimated_seconds(preset("best"), work_, machine_), 1e-2);
  work_.model.family = "SDXL";
  EXPECT_EQ(now("best").seconds, estimated_seconds(preset("best"), work_, machine_));
  host::set_user_note("geometry-transfer-speed", "SDXL=nan\nbest/SDXL=-3\n=1e300\n");
  EXPECT_EQ(now("best").seconds, estimated_seconds(preset("best"), work_, machine_));
}

TEST_F(ExpectedTime, NothingIsSaidWhereNothingIsKnown) {
  machine_.gpu = true;
  EXPECT_LT(expected_time(preset("balanced"), work_, machine_).seconds, 0);
  EXPECT_GT(expected_time(preset("instant"), work_, machine_).seconds, 0);
  Request on_cpu = preset("balanced");
  on_cpu.device = Device::cpu;
  EXPECT_GT(expected_time(on_cpu, work_, machine_).seconds, 0);
  remember_time(preset("balanced"), work_, 1);
  EXPECT_GT(expected_time(preset("balanced"), work_, machine_).seconds, 0);
  work_.model = {};
  EXPECT_LT(expected_time(on_cpu, work_, machine_).seconds, 0);
}

TEST_F(ExpectedTime, IsSaidNoFinerThanItIs) {
  EXPECT_EQ(with_time("Best", {-1, false}), "Best");
  EXPECT_EQ(with_time("Best", {0.7, false}), "Best (under a second)");
  EXPECT_EQ(with_time("Best", {8.4, false}), "Best (estimated 8 s)");
  EXPECT_EQ(with_time("Best", {8.4, true}), "Best (about 8 s)");
  EXPECT_EQ(rough_time(33), "35 s");
  EXPECT_EQ(rough_time(200), "3 min");
  EXPECT_EQ(rough_time(3600), "60 min");
}

TEST_F(ExpectedTime, EveryRunIsRemembered) {
  run(call_, no_dialog);
  EXPECT_TRUE(speed_of("instant", "").this_preset);
}

/// Makes a ramp, whose area averages are known.
host::Buffer ramp(int width, int height) {
  const GeglRectangle extent = {0, 0, width, height};
  GeglBuffer* buffer = gegl_buffer_new(&extent, babl_format("Y float"));
  std::vector<float> values;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) values.push_back(x + 0.5f * y);
  gegl_buffer_set(buffer, nullptr, 0, babl_format("Y float"), values.data(), GEGL_AUTO_ROWSTRIDE);
  return host::Buffer(buffer);
}

TEST(Raster, ReadsAtItsPlaceOnTheCanvas) {
  const GeglRaster raster(ramp(40, 30), GeglRaster::Kind::mask, 100, -5, {100, -5, 40, 30});
  float out[6];
  raster.read({103, 0, 3, 2}, {3, 2}, out);
  for (int i = 0; i < 6; ++i) EXPECT_FLOAT_EQ(out[i], 3 + i % 3 + 0.5f * (5 + i / 3));
}

TEST(Raster, SmallerReadsAreAreaAverages) {
  for (const Size size : {Size{96, 80}, Size{50, 33}, Size{24, 20}, Size{7, 5}, Size{1, 1}}) {
    const GeglRaster raster(ramp(192, 160), GeglRaster::Kind::mask, 0, 0, {0, 0, 192, 160});
    std::vector<float> out(size.width * size.height);
    raster.read({0, 0, 192, 160}, size, out.data());
    const double across = 192.0 / size.width, down = 160.0 / size.height;
    double worst = 0;
    for (int y = 0; y < size.height; ++y)
      for (int x = 0; x < size.width; ++x)
        worst = std::max(worst, std::abs(out[y * size.width + x] - ((x + 0.5) * across - 0.5 + 0.5 * ((y + 0.5) * down - 0.5))));
    // GEGL's pyramid rounds its cells to whole pixels: a few hundredths of the width of an output pixel.
    EXPECT_LT(worst, std::max(0.51, 0.03 * (across + 0.5 * down))) << size.width;
  }
}

TEST(Raster, LargerReadsInterpolate) {
  const GeglRaster raster(ramp(20, 20), GeglRaster::Kind::mask, 0, 0, {0, 0, 20, 20});
  std::vector<float> out(40 * 40);
  raster.read({0, 0, 20, 20}, {40, 40}, out.data());
  for (int y = 2; y < 38; ++y)
    for (int x = 2; x < 38; ++x)
      EXPECT_NEAR(out[y * 40 + x], (x + 0.5) / 2 - 0.5 + 0.5 * ((y + 0.5) / 2 - 0.5), 1e-3) << x << " " << y;
}

TEST(Raster, WhatLiesUnderTransparencyDoesNotBleedIn) {
  const GeglRectangle extent = {0, 0, 8, 1};
  GeglBuffer* buffer = gegl_buffer_new(&extent, babl_format("R'G'B'A float"));
  std::vector<float> pixels;
  for (int x = 0; x < 8; ++x) {
    const float clear = x % 2 ? 0.f : 1.f;  // every other pixel is green and transparent
    const float pixel[4] = {clear ? 0.6f : 0.f, clear ? 0.2f : 1.f, 0.1f, clear};
    pixels.insert(pixels.end(), pixel, pixel + 4);
  }
  gegl_buffer_set(buffer, nullptr, 0, babl_format("R'G'B'A float"), pixels.data(), GEGL_AUTO_ROWSTRIDE);
  const GeglRaster raster(host::Buffer(buffer), GeglRaster::Kind::colour, 0, 0, {0, 0, 8, 1});
  float out[5 * 4];
  raster.read({0, 0, 8, 1}, {5, 1}, out);  // the factor is below two, so only this file's own average is used
  for (int i = 0; i < 5; ++i) EXPECT_NEAR(out[i * 4 + 1], 0.2f, 1e-3);
}

}  // namespace
}  // namespace geometry_transfer

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  geometry_transfer::start_gegl();
  const int code = RUN_ALL_TESTS();
  geometry_transfer::host::fake::reset();
  return code;
}
