// SPDX-License-Identifier: GPL-3.0-or-later
/// Laws of the parameter table on which dialogs, procedure and command line rely.
#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>

#include "geometry-transfer/error.h"
#include "geometry-transfer/progress.h"
#include "geometry-transfer/request.h"

using namespace geometry_transfer;
using Kind = Parameter::Kind;

namespace {

/// Returns an allowed value that is not the default.
Value another(const Parameter& p) {
  const Value now = p.get(Request{});
  switch (p.kind) {
    case Kind::boolean:
      return !std::get<bool>(now);
    case Kind::integer:
      return std::get<int>(now) == static_cast<int>(p.high) ? static_cast<int>(p.low) : static_cast<int>(p.high);
    case Kind::real:
      return std::get<double>(now) == (p.low + p.high) / 2 + p.high / 7 ? p.low : (p.low + p.high) / 2 + p.high / 7;
    case Kind::choice:
      for (const Choice& c : p.choices)
        if (Value(std::string(c.id)) != now) return std::string(c.id);
      break;
    case Kind::text:
      return std::string("/a folder/\xc3\xa4 model.safetensors");
  }
  return now;
}

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), Error::Kind::input);
    return e.what();
  }
  return "";
}

TEST(Request, AutomaticNumbersAreATextToo) {
  Request request;
  for (const char* name : {"strength", "own-material", "show-through"}) {
    const Parameter& p = *find_parameter(name);
    EXPECT_EQ(parameter_text(request, p), "auto");
    set_parameter_text(request, name, "0.5");
    EXPECT_EQ(parameter_text(request, p), "0.5");
    set_parameter_text(request, name, "auto");
    EXPECT_LT(std::get<double>(p.get(request)), 0);
  }
  EXPECT_THROW(set_parameter_text(request, "grain", "auto"), Error);
}

}  // namespace

TEST(Table, NamesAreUniqueAndFitForEveryHost) {
  std::set<std::string> names;
  for (const Parameter& p : parameters()) {
    EXPECT_TRUE(names.insert(p.name).second) << p.name;
    EXPECT_EQ(std::string(p.name).find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string::npos) << p.name;
    EXPECT_STRNE(p.label, "") << p.name;
    EXPECT_STRNE(p.blurb, "") << p.name;
    EXPECT_EQ(find_parameter(p.name), &p);
  }
  EXPECT_EQ(find_parameter("no-such"), nullptr);
}

TEST(Table, DefaultsAreAllowedAndStepsAreUseful) {
  EXPECT_NO_THROW(validate(Request{}));
  for (const Parameter& p : parameters()) {
    if (p.kind != Kind::integer && p.kind != Kind::real) continue;
    EXPECT_LT(p.low, p.high) << p.name;
    EXPECT_GT(p.step, 0) << p.name;
    EXPECT_LT(p.step, p.high - p.low) << p.name;
  }
}

TEST(Table, EachSetterMovesItsOwnFieldOnly) {
  for (const Parameter& p : parameters()) {
    Request request;
    set_parameter(request, p.name, another(p));
    for (const Parameter& other : parameters())
      if (&other == &p)
        EXPECT_EQ(other.get(request), another(p)) << p.name;
      else
        EXPECT_EQ(other.get(request), other.get(Request{})) << p.name << " moved " << other.name;
  }
}

TEST(Table, EveryChoiceComesBackAsItself) {
  for (const Parameter& p : parameters())
    for (const Choice& c : p.choices) {
      Request request;
      set_parameter_text(request, p.name, c.id);
      EXPECT_EQ(parameter_text(request, p), c.id) << p.name;
    }
}

TEST(Text, RoundTripsUnderADecimalComma) {
  if (!std::setlocale(LC_ALL, "de_DE.UTF-8")) GTEST_SKIP() << "no de_DE.UTF-8 here: install the package locales";
  ASSERT_STREQ(std::localeconv()->decimal_point, ",");
  Request request;
  set_parameter_text(request, "correction", "0.25");
  EXPECT_EQ(request.correction, 0.25);
  EXPECT_EQ(parameter_text(request, *find_parameter("correction")), "0.25");
  EXPECT_THROW(set_parameter_text(request, "correction", "0,25"), Error);
  set_parameter_text(request, "shift-x", "12345.5");
  EXPECT_EQ(parameter_text(request, *find_parameter("shift-x")), "12345.5");  // no thousands separator
  for (const Parameter& p : parameters()) {
    Request set, back;
    set_parameter(set, p.name, another(p));
    set_parameter_text(back, p.name, parameter_text(set, p));
    if (p.kind == Kind::real)
      EXPECT_NEAR(std::get<double>(p.get(back)), std::get<double>(p.get(set)), 1e-9 * std::abs(p.high)) << p.name;
    else
      EXPECT_EQ(p.get(back), p.get(set)) << p.name;
  }
  std::setlocale(LC_ALL, "C");
}

TEST(Text, RefusesWhatIsNotAValueAndSaysWhatIs) {
  Request request;
  for (const char* bad : {"", "abc", "0.5x", "1.5", "-0.1", "nan", "inf", "0x1"}) {
    const std::string said = refusal([&] { set_parameter_text(request, "correction", bad); });
    EXPECT_NE(said.find("correction"), std::string::npos) << bad << ": " << said;
    EXPECT_NE(said.find("0 .. 1"), std::string::npos) << bad << ": " << said;
  }
  EXPECT_THROW(set_parameter_text(request, "steps", "2.5"), Error);
  EXPECT_THROW(set_parameter_text(request, "steps", "99999999999"), Error);
  EXPECT_THROW(set_parameter_text(request, "flip", "maybe"), Error);
  EXPECT_THROW(set_parameter(request, "colour", 1), Error);
  EXPECT_THROW(set_parameter(request, "model", 1.0), Error);
  EXPECT_THROW(set_parameter(request, "scale", std::numeric_limits<double>::quiet_NaN()), Error);
  EXPECT_NE(refusal([&] { set_parameter_text(request, "no-such", "1"); }).find("no-such"), std::string::npos);
  EXPECT_NE(refusal([&] { set_parameter_text(request, "colour", "red"); }).find("shading, surround, mean"), std::string::npos);
  for (const Parameter& p : parameters()) EXPECT_EQ(p.get(request), p.get(Request{})) << p.name;  // a refusal changes nothing
}

TEST(Text, QuotesTheBeginningOfWhatIsTooLong) {
  Request request;
  std::string given = "x";
  for (int i = 0; i < 3000; ++i) given += "\u00e9";  // two bytes each; a cut at an even byte would split one
  const std::string said = refusal([&] { set_parameter_text(request, "preset", given); });
  EXPECT_LT(said.size(), 1500u);
  EXPECT_EQ(said.find("\u00e9..."), 999u - 2 + said.find('x')) << said;
  EXPECT_NE(said.find("preset"), std::string::npos);
  EXPECT_NE(said.find("instant"), std::string::npos);
}

TEST(Text, QuotesNothingThatATerminalObeys) {
  Request request;
  const std::string said = refusal([&] { set_parameter_text(request, "preset", "a\x1b[2Jb\x7f\u009bc\u00e9"); });
  EXPECT_NE(said.find("a?[2Jb??c\u00e9"), std::string::npos) << said;
}

TEST(Text, ValidateNamesTheFieldOutOfRange) {
  Request request;
  request.noise = 5000;
  EXPECT_NE(refusal([&] { validate(request); }).find("noise"), std::string::npos);
}

TEST(Presets, AreTheChoicesOfTheFirstParameterAndValid) {
  const Parameter& preset = *find_parameter("preset");
  ASSERT_EQ(preset.choices.size(), presets().size() + 1);
  EXPECT_STREQ(preset.choices.back().id, "custom");
  for (std::size_t i = 0; i < presets().size(); ++i) {
    EXPECT_STREQ(preset.choices[i].id, presets()[i].id);
    Request request;
    apply_preset(request, presets()[i].id);
    EXPECT_EQ(request.preset, presets()[i].id);
    EXPECT_NO_THROW(validate(request)) << request.preset;
  }
  Request request;
  EXPECT_NE(refusal([&] { apply_preset(request, "fast"); }).find("instant"), std::string::npos);
}

TEST(Presets, DecideColourAndMethodAndNothingElse) {
  for (const char* family : {"surface", "SD 1.x"})
    for (const Preset& preset : presets()) {
      Request plain, busy;
      for (const Parameter& p : parameters()) p.set(busy, another(p));
      apply_preset(plain, preset.id, family);
      apply_preset(busy, preset.id, family);
      for (const Parameter& p : parameters()) {
        const bool decided = p.group == Parameter::Group::preset || p.of_preset();
        EXPECT_EQ(p.get(busy), decided ? p.get(plain) : another(p)) << preset.id << " " << p.name;
      }
    }
}

TEST(Presets, InstantIsTheDefaultAndNeedsNoModel) {
  for (const char* family : {"surface", "SD 1.x", "SD 2.x", "SDXL", ""}) {
    Request instant;
    apply_preset(instant, "instant", family);
    for (const Parameter& p : parameters()) EXPECT_EQ(p.get(instant), p.get(Request{})) << family << " " << p.name;
    EXPECT_EQ(instant.correction, 0);
  }
  EXPECT_STREQ(default_preset("surface"), "instant");
  EXPECT_STREQ(default_preset(""), "instant") << "a model that cannot be used";
  EXPECT_STREQ(default_preset("SDXL"), "balanced");
}

TEST(Presets, RunTheWholeMethodWithModelsThatImproveTheEdit) {
  for (const char* family : {"SD 1.x", "SD 2.x", "SDXL"}) {
    int passes = 0;
    for (const char* id : {"draft", "balanced", "best"}) {
      Request r;
      apply_preset(r, id, family);
      EXPECT_EQ(r.correction, 1) << id;
      EXPECT_EQ(r.correct, Correct::all) << id;
      EXPECT_EQ(r.give_back, GiveBack::edit) << id;
      EXPECT_EQ(r.restore, 1) << id;
      EXPECT_EQ(r.noise, id == std::string("draft") ? 500 : 1000) << id;
      EXPECT_TRUE(r.geometry_reads == (Stream::geometry | Stream::target)) << id;
      EXPECT_TRUE(r.output_reads.has(Stream::geometry) && r.output_reads.has(Stream::target)) << id;
      EXPECT_EQ(r.output_reads.has(Stream::source), id == std::string("best"));
      EXPECT_GT(r.steps * (r.iterations + 1), passes) << id;
      passes = r.steps * (r.iterations + 1);
    }
  }
}

TEST(Presets, FollowTheModelAsFarAsTheUserHasNotChosenOtherwise) {
  EXPECT_EQ(preset_for_model("instant", "surface", "SD 1.x"), "balanced");
  EXPECT_EQ(preset_for_model("balanced", "SDXL", "surface"), "instant");
  EXPECT_EQ(preset_for_model("best", "SD 1.x", "surface"), "instant") << "it is not offered there";
  EXPECT_EQ(preset_for_model("best", "SD 1.x", "SDXL"), "best");
  EXPECT_EQ(preset_for_model("instant", "SD 1.x", "SDXL"), "instant") << "that was the user's choice";
  EXPECT_EQ(preset_for_model("paper", "surface", "SD 2.x"), "paper");
  EXPECT_EQ(preset_for_model("custom", "surface", "SD 2.x"), "custom");
  EXPECT_EQ(preset_for_model("balanced", "SD 1.x", ""), "instant") << "a model that cannot be used";
}

TEST(Presets, SayWhatTheyDoWithAModelAndWhetherItIsWorthIt) {
  for (const Preset& preset : presets()) {
    const PresetOffer small = preset_offer(preset.id, "surface"), large = preset_offer(preset.id, "SD 1.x");
    EXPECT_TRUE(large.offered) << preset.id;
    EXPECT_FALSE(small.effect.empty());
    EXPECT_FALSE(large.effect.empty());
    const bool between =
        preset.id == std::string("draft") || preset.id == std::string("balanced") || preset.id == std::string("best");
    EXPECT_EQ(small.offered, !between) << preset.id;
    EXPECT_EQ(small.effect == large.effect, !between) << preset.id;
  }
  EXPECT_NE(refusal([&] { preset_offer("fast", "surface"); }).find("instant"), std::string::npos);
}

TEST(Presets, FollowTheFamilyOfTheRequestsModel) {
  Request shipped, tiny;
  apply_preset(shipped, "balanced");
  tiny.model = std::string(std::getenv("SOURCE")) + "/tests/golden/sd15";
  apply_preset(tiny, "balanced");
  EXPECT_LT(shipped.correction, 1);
  EXPECT_EQ(tiny.correction, 1);
  EXPECT_EQ(tiny.noise, 1000);
}

TEST(Presets, PaperIsThePaperWithEveryModel) {
  for (const char* family : {"surface", "SDXL"}) {
    Request r;
    apply_preset(r, "paper", family);
    EXPECT_EQ(r.colour, Colour::mean);
    EXPECT_EQ(r.grain, 0);
    EXPECT_EQ(r.correction, 1);
    EXPECT_EQ(r.correct, Correct::all);
    EXPECT_EQ(r.noise, 1000);
    EXPECT_EQ(r.restore, 0);
    EXPECT_EQ(r.give_back, GiveBack::nothing);
    EXPECT_TRUE(r.output_reads == (Stream::source | Stream::target));
    EXPECT_TRUE(r.geometry_reads == (Stream::geometry | Stream::target));
    EXPECT_FALSE(r.window);
  }
}

TEST(Stages, HaveAnIdAndALabelEach) {
  std::set<std::string> ids;
  for (int i = 0; i <= static_cast<int>(Stage::composite); ++i) {
    EXPECT_TRUE(ids.insert(stage_id(static_cast<Stage>(i))).second);
    EXPECT_FALSE(stage_label(static_cast<Stage>(i)).empty());
  }
}
