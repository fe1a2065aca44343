// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/model_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "geometry-transfer/error.h"
#include "safetensors_file.h"
#include "weights/safetensors.h"

namespace geometry_transfer {
namespace {

namespace fs = std::filesystem;
using test::safetensors_bytes;
using test::TemporaryFolder;
using test::write_file;

fs::path surface() { return fs::path(std::getenv("SOURCE")) / "core/models/surface"; }

std::string refusal(const std::string& path) {
  try {
    open_model(path);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), Error::Kind::model);
    return e.what();
  }
  ADD_FAILURE() << path << " was accepted";
  return "";
}

/// A copy of the surface model with links for weights: cheap to make and to break.
class CopiedModel {
 public:
  CopiedModel() {
    for (const char* part : {"unet", "vae", "scheduler"}) {
      fs::create_directories(root() / part);
      for (const auto& file : fs::directory_iterator(surface() / part))
        if (file.path().extension() == ".json")
          fs::copy_file(file.path(), root() / part / file.path().filename());
        else
          fs::create_symlink(file.path(), root() / part / file.path().filename());
    }
  }
  fs::path root() const { return folder_ / "a model"; }
  void set(const std::string& file, const std::string& key, const nlohmann::json& value) const {
    nlohmann::json json = nlohmann::json::parse(std::ifstream(root() / file));
    json[key] = value;
    std::ofstream(root() / file) << json;
  }
  std::string refusal() const { return geometry_transfer::refusal(root()); }

 private:
  TemporaryFolder folder_;
};

void expect_says(const std::string& message, const std::string& part) {
  EXPECT_NE(message.find(part), std::string::npos) << '"' << message << "\" does not say \"" << part << '"';
}

TEST(ModelFiles, OpensTheModelThatShips) {
  const ModelFiles files = open_model(surface().string() + "/");
  EXPECT_EQ(files.name, "surface");
  EXPECT_EQ(files.family, "surface");
  EXPECT_EQ(files.vae.downscale(), 4);
  EXPECT_EQ(files.scheduler.prediction_type, PredictionType::v_prediction);
  EXPECT_EQ(files.text.layers, 0);
  EXPECT_EQ(files.text_weights, nullptr);
  ASSERT_NE(files.unet_weights->find("conv_in.weight"), nullptr);
  EXPECT_EQ(files.unet_weights->find("conv_in.weight")->shape, (std::vector<std::int64_t>{96, 4, 3, 3}));
  ASSERT_NE(files.vae_weights->find("decoder.conv_out.weight"), nullptr);
}

TEST(ModelFiles, TakesEveryNameThatWeightsGoBy) {
  const fs::path original = fs::canonical(surface() / "unet/diffusion_pytorch_model.safetensors");
  for (const char* name : {"diffusion_pytorch_model.fp16.safetensors", "model.safetensors", "model.fp16.safetensors"}) {
    const CopiedModel model;
    fs::rename(model.root() / "unet/diffusion_pytorch_model.safetensors", model.root() / "unet" / name);
    EXPECT_NE(open_model(model.root()).unet_weights->find("conv_in.weight"), nullptr) << name;
  }
  for (const char* name :
       {"diffusion_pytorch_model.safetensors.index.json", "diffusion_pytorch_model.safetensors.index.fp16.json"}) {
    const CopiedModel model;
    fs::rename(model.root() / "unet/diffusion_pytorch_model.safetensors", model.root() / "unet/one-of-one.safetensors");
    nlohmann::json index;
    for (const std::string& key : open_safetensors(original)->keys()) index["weight_map"][key] = "one-of-one.safetensors";
    write_file(model.root() / "unet" / name, index.dump());
    EXPECT_NE(open_model(model.root()).unet_weights->find("conv_in.weight"), nullptr) << name;
    index["weight_map"].erase("conv_in.weight");
    write_file(model.root() / "unet" / name, index.dump());
    expect_says(model.refusal(), "lacks 1 of its tensors: conv_in.weight");
  }
}

TEST(ModelFiles, WidthsMustBeThoseOfTheConfiguration) {
  CopiedModel model;
  model.set("unet/config.json", "cross_attention_dim", 64);
  expect_says(model.refusal(), "attn2.to_k.weight");
  CopiedModel more;
  more.set("unet/config.json", "transformer_layers_per_block", nlohmann::json::array({1, 1, 2}));
  expect_says(more.refusal(), "transformer_blocks.1.");
  CopiedModel fewer;
  fewer.set("unet/config.json", "addition_embed_type", nullptr);
  fewer.set("vae/config.json", "layers_per_block", 2);
  expect_says(fewer.refusal(), "encoder.down_blocks.0.resnets.1");
}

TEST(ModelFiles, OldNamesOfTheVaesAttentionAreRead) {
  TemporaryFolder folder;
  const fs::path golden = fs::path(std::getenv("SOURCE")) / "tests/golden/sd15";
  fs::copy(golden, folder.path() / "m", fs::copy_options::recursive);
  const std::string file = folder / "m/vae/diffusion_pytorch_model.safetensors";
  std::stringstream bytes;
  bytes << std::ifstream(file, std::ios::binary).rdbuf();
  std::string text = bytes.str();
  // The old names are padded to the length of the new ones, so that no offset changes. JSON allows blanks between
  // tokens.
  for (const auto& [now, then] : {std::pair("attentions.0.to_q.weight\"", "attentions.0.query.weight\""),
                                  {"attentions.0.to_q.bias\"", "attentions.0.query.bias\""},
                                  {"attentions.0.to_k.weight\"", "attentions.0.key.weight\""},
                                  {"attentions.0.to_k.bias\"", "attentions.0.key.bias\""},
                                  {"attentions.0.to_v.weight\"", "attentions.0.value.weight\""},
                                  {"attentions.0.to_v.bias\"", "attentions.0.value.bias\""},
                                  {"attentions.0.to_out.0.weight\"", "attentions.0.proj_attn.weight\""},
                                  {"attentions.0.to_out.0.bias\"", "attentions.0.proj_attn.bias\""}})
    for (std::size_t at; (at = text.find(now)) != std::string::npos;) text.replace(at, std::string(now).size(), then);
  std::uint64_t length = text.find("}}", 8) + 2 - 8;
  while (text[8 + length] == ' ') ++length;
  for (int i = 0; i < 8; ++i) text[static_cast<std::size_t>(i)] = static_cast<char>(length >> (8 * i));
  std::ofstream(file, std::ios::binary) << text;
  const ModelFiles files = open_model(folder.path() / "m");
  const auto original = open_model(golden);
  for (const std::string& key : original.vae_weights->keys()) {
    const TensorView *a = original.vae_weights->find(key), *b = files.vae_weights->find(key);
    ASSERT_NE(b, nullptr) << key;
    EXPECT_EQ(a->shape, b->shape);
    std::size_t size = 4;
    for (const auto side : a->shape) size *= static_cast<std::size_t>(side);
    EXPECT_EQ(std::memcmp(a->data, b->data, size), 0) << key;
  }
}

TEST(ModelFiles, SaysWhatAFolderLacks) {
  for (const char* part : {"vae/config.json", "scheduler/scheduler_config.json", "unet/config.json"}) {
    const CopiedModel model;
    fs::remove(model.root() / part);
    expect_says(model.refusal(), part);
  }
  const CopiedModel no_weights;
  fs::remove(no_weights.root() / "unet/diffusion_pytorch_model.safetensors");
  expect_says(no_weights.refusal(), "no .safetensors file");
  write_file(no_weights.root() / "unet/diffusion_pytorch_model.bin", "pickle");
  expect_says(no_weights.refusal(), "save the model as safetensors");
  expect_says(refusal("/nowhere at all"), "There is no model at /nowhere at all");
}

TEST(ModelFiles, RefusesOtherKindsByName) {
  CopiedModel model;
  model.set("unet/config.json", "in_channels", 9);
  expect_says(model.refusal(), "inpainting");
  CopiedModel flux;
  fs::rename(flux.root() / "unet", flux.root() / "transformer");
  expect_says(flux.refusal(), "Flux");
  CopiedModel mixed;
  mixed.set("vae/config.json", "latent_channels", 16);
  expect_says(mixed.refusal(), "16 latent channels");
}

}  // namespace
}  // namespace geometry_transfer
