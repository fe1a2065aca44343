// SPDX-License-Identifier: GPL-3.0-or-later
/// Golden tensors and how close is close.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "weights/safetensors.h"
#include "weights/weights.h"

namespace geometry_transfer::test {

/// A file of the source tree.
inline std::string source_path(const std::string& path) { return std::string(std::getenv("SOURCE")) + "/" + path; }

/// The fp32 tensors of one golden.safetensors.
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

/// Over whole tensors: |a - b| / |b| (Frobenius), and the largest difference against the largest value.
inline void expect_close(const at::Tensor& got, const at::Tensor& expected, double tolerance, const std::string& name) {
  ASSERT_EQ(got.sizes(), expected.sizes()) << name;
  const at::Tensor d = (got - expected).to(at::kDouble);
  EXPECT_LE((d.norm() / expected.to(at::kDouble).norm()).item<double>(), tolerance) << name;
  EXPECT_LE((d.abs().max() / expected.abs().max()).item<double>(), tolerance * 4) << name << ", largest difference";
}

}  // namespace geometry_transfer::test
