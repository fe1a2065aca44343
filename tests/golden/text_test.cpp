// SPDX-License-Identifier: GPL-3.0-or-later
/// Compares the text encoders of every family with transformers, whole tensors, fp32. Also tests the UNet's condition
/// and its cache.
#include <filesystem>
#include <fstream>

#include "diffusion/conditioning.h"
#include "diffusion/prompt_cache.h"
#include "diffusion/text_encoder.h"
#include "geometry-transfer/error.h"
#include "golden.h"

namespace geometry_transfer {
namespace {

namespace fs = std::filesystem;
using test::expect_close;
using test::kTolerance;

struct Family {
  const char *name, *encoder;
};

class Text : public testing::TestWithParam<Family> {
 protected:
  Text() : files(test::open_family(GetParam().name)), golden(test::golden_text_of(GetParam().name)) {}
  bool second() const { return std::string(GetParam().encoder) == "text_encoder_2"; }
  const TextConfig& config() const { return second() ? files.text_2 : files.text; }
  TextOutput run(const std::vector<int64_t>& ids) const {
    return encode_text(config(), second() ? files.text_2_weights : files.text_weights, at::tensor(ids, at::kLong).unsqueeze(0));
  }
  at::Tensor wanted(const std::string& name) const { return golden[std::string(GetParam().encoder) + "." + name]; }

  ModelFiles files;
  test::Golden golden;
};

TEST_P(Text, EmptyPrompt) {
  const TextOutput out = run(empty_prompt_ids(config()));
  expect_close(out.last_hidden_state, wanted("last_hidden_state"), kTolerance, "last_hidden_state");
  expect_close(out.penultimate, wanted("penultimate"), kTolerance, "penultimate");
  expect_close(out.pooled, wanted("pooled"), kTolerance, "pooled");
}

TEST_P(Text, APromptOfThreeWords) {
  std::vector<int64_t> ids(77, 1);
  const int64_t words[] = {198, 5, 17, 42, 199};
  std::copy(std::begin(words), std::end(words), ids.begin());
  const TextOutput out = run(ids);
  expect_close(out.last_hidden_state, wanted("prompt_last_hidden_state"), kTolerance, "prompt_last_hidden_state");
  expect_close(out.pooled, wanted("prompt_pooled"), kTolerance, "prompt_pooled");
}

INSTANTIATE_TEST_SUITE_P(Families, Text,
                         testing::Values(Family{"sd15", "text_encoder"}, Family{"sd21", "text_encoder"},
                                         Family{"sdxl", "text_encoder"}, Family{"sdxl", "text_encoder_2"}),
                         [](const auto& info) { return std::string(info.param.name) + "_" + info.param.encoder; });

TEST(EmptyPromptIds, AreThoseOfTheTokenizers) {
  TextConfig clip;  // CLIP-L
  EXPECT_EQ(empty_prompt_ids(clip).size(), 77u);
  EXPECT_EQ(empty_prompt_ids(clip)[0], 49406);
  EXPECT_EQ(empty_prompt_ids(clip)[1], 49407);
  EXPECT_EQ(empty_prompt_ids(clip)[76], 49407);
  clip.quick_gelu = false;  // OpenCLIP
  EXPECT_EQ(empty_prompt_ids(clip)[1], 49407);
  EXPECT_EQ(empty_prompt_ids(clip)[2], 0);
}

/// Uses an empty cache of its own.
class EmptyPrompt : public testing::Test {
 protected:
  void SetUp() override { setenv("XDG_CACHE_HOME", cache.path().c_str(), 1); }
  int cached() const {
    int count = 0;
    if (fs::exists(cache / "geometry-transfer"))
      for (const auto& file : fs::directory_iterator(cache / "geometry-transfer")) count += file.path().extension() == ".prompt";
    return count;
  }
  test::TemporaryFolder cache;
};

TEST_F(EmptyPrompt, IsWhatTheFamilyReads) {
  for (const char* name : {"sd15", "sd21", "sdxl"}) {
    const test::Golden golden = test::golden_text_of(name);
    const Conditioning c = empty_prompt(test::open_family(name), at::kFloat, at::kCPU);
    const bool xl = std::string(name) == "sdxl";
    const at::Tensor wanted = xl ? at::cat({golden["text_encoder.penultimate"], golden["text_encoder_2.penultimate"]}, -1)
                                 : golden["text_encoder.last_hidden_state"];
    expect_close(c.context, wanted, kTolerance, name);
    EXPECT_EQ(c.pooled.defined(), xl);
    if (xl) expect_close(c.pooled, golden["text_encoder_2.pooled"], kTolerance, "pooled");
    EXPECT_FALSE(c.time_ids.defined());
  }
}

TEST_F(EmptyPrompt, TheShippedModelReadsZeros) {
  const Conditioning c = empty_prompt(test::open_family("surface"), at::kBFloat16, at::kCPU);
  EXPECT_EQ(c.context.sizes(), (std::vector<int64_t>{1, 1, 32}));
  EXPECT_EQ(c.context.scalar_type(), at::kBFloat16);
  EXPECT_EQ(c.context.abs().max().item<float>(), 0);
  EXPECT_EQ(cached(), 0);
}

TEST_F(EmptyPrompt, IsKeptAndReadBackExactly) {
  for (const char* name : {"sd15", "sdxl"}) {
    const ModelFiles files = test::open_family(name);
    const Conditioning computed = empty_prompt(files, at::kFloat, at::kCPU);
    const Conditioning cached = empty_prompt(files, at::kFloat, at::kCPU);
    EXPECT_TRUE(at::equal(computed.context, cached.context));
    EXPECT_EQ(computed.pooled.defined(), cached.pooled.defined());
    if (computed.pooled.defined()) {
      EXPECT_TRUE(at::equal(computed.pooled, cached.pooled));
    }
  }
  EXPECT_EQ(cached(), 4);  // each under its own name and its family's
}

TEST_F(EmptyPrompt, IsNotEvaluatedAgain) {
  ModelFiles files = test::open_family("sd15");
  PromptEmbedding other{77, 24, std::vector<float>(77 * 24, 0.5f), {}};
  write_prompt_cache(text_fingerprint(files), other);
  EXPECT_EQ(empty_prompt(files, at::kFloat, at::kCPU).context.min().item<float>(), 0.5f);
}

TEST_F(EmptyPrompt, ACacheThatDoesNotFitIsMadeAnew) {
  const ModelFiles files = test::open_family("sd15");
  write_prompt_cache(text_fingerprint(files), {77, 25, std::vector<float>(77 * 25, 0.5f), {}});
  const test::Golden golden = test::golden_text_of("sd15");
  expect_close(empty_prompt(files, at::kFloat, at::kCPU).context, golden["text_encoder.last_hidden_state"], kTolerance,
               "context");
}

TEST_F(EmptyPrompt, AModelWithoutTextEncoderUsesItsFamilys) {
  ModelFiles files = test::open_family("sd15");
  files.text = {};
  files.text_weights = nullptr;
  try {
    empty_prompt(files, at::kFloat, at::kCPU);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), Error::Kind::model);
    EXPECT_NE(std::string(e.what()).find("sd15 has no text encoder. Add its folder text_encoder"), std::string::npos) << e.what();
  }
  const Conditioning whole = empty_prompt(test::open_family("sd15"), at::kFloat, at::kCPU);
  EXPECT_TRUE(at::equal(empty_prompt(files, at::kFloat, at::kCPU).context, whole.context));
}

TEST_F(EmptyPrompt, WorksWhereNothingCanBeWritten) {
  setenv("XDG_CACHE_HOME", "/proc/no-such-place", 1);
  EXPECT_EQ(empty_prompt(test::open_family("sd15"), at::kFloat, at::kCPU).context.size(1), 77);
}

}  // namespace
}  // namespace geometry_transfer
