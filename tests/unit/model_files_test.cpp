// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/model_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "geometry-transfer/error.h"
#include "safetensors_file.h"

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

/// A copy of the surface model whose weights are links: cheap to make, free to break.
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
    write_file(model.root() / "unet" / name, "{\"weight_map\":{\"conv_in.weight\":\"one-of-one.safetensors\"}}");
    EXPECT_NE(open_model(model.root()).unet_weights->find("conv_in.weight"), nullptr) << name;
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
