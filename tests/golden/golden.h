// SPDX-License-Identifier: GPL-3.0-or-later
/// Reads golden tensors and compares with them.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "weights/model_files.h"
#include "weights/safetensors.h"
#include "weights/weights.h"

namespace geometry_transfer::test {

/// A file of the source tree.
inline std::string source_path(const std::string& path) { return std::string(std::getenv("SOURCE")) + "/" + path; }

/// Largest error of a single network, relative to the whole tensor.
constexpr double kTolerance = 1e-4;

/// Opens the tiny model of a family ("sd15", "sd21", "sdxl"), or "surface", the shipped one.
inline ModelFiles open_family(const std::string& name, Prediction prediction = Prediction::automatic) {
  return open_model(source_path(name == "surface" ? "core/models/surface" : "tests/golden/" + name), prediction);
}

/// The tensors of one golden.safetensors.
class Golden {
 public:
  explicit Golden(const std::string& path) : file_(open_safetensors(source_path(path))), weights_(file_, at::kFloat) {}
  at::Tensor operator[](const std::string& name) const {
    const TensorView* view = file_->find(name);
    if (!view) throw std::runtime_error("no golden tensor " + name);
    return weights_.tensor(name, view->shape).clone();
  }

 private:
  std::shared_ptr<const Checkpoint> file_;
  Weights weights_;
};

/// The outputs of a family's networks, and of its text encoders.
inline Golden golden_of(const std::string& family) { return Golden("tests/golden/" + family + "/golden.safetensors"); }
inline Golden golden_text_of(const std::string& family) { return Golden("tests/golden/" + family + "/golden_text.safetensors"); }

/// An empty folder that is removed with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "geometry-transfer-test-XXXXXX").string()) {
    if (!mkdtemp(path_.data())) throw std::runtime_error("mkdtemp");
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return std::filesystem::path(path_) / name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Compares whole tensors: |a - b| / |b| (Frobenius), and the largest difference against the largest value.
inline void expect_close(const at::Tensor& got, const at::Tensor& expected, double tolerance, const std::string& name) {
  ASSERT_EQ(got.sizes(), expected.sizes()) << name;
  const at::Tensor d = (got - expected).to(at::kDouble);
  EXPECT_LE((d.norm() / expected.to(at::kDouble).norm()).item<double>(), tolerance) << name;
  EXPECT_LE((d.abs().max() / expected.abs().max()).item<double>(), tolerance * 4) << name << ", largest difference";
}

}  // namespace geometry_transfer::test
