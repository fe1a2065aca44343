// SPDX-License-Identifier: GPL-3.0-or-later
/// A cursor into a checkpoint: weights["down_blocks"][0]["resnets"] is to its tensors what a folder is to its files. A layer
/// takes the cursor in its constructor, so a layer that exists is a loaded one.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>

#include "weights/checkpoint.h"

namespace geometry_transfer {

inline at::ScalarType scalar_type(DType dtype) {
  return dtype == DType::f32 ? at::kFloat : dtype == DType::f16 ? at::kHalf : at::kBFloat16;
}

class Weights {
 public:
  /// Tensors come out as `dtype` on `device`; without copying where they are so on disk already (the mapping is kept alive by
  /// them).
  Weights(std::shared_ptr<const Checkpoint> checkpoint, at::ScalarType dtype, at::Device device = at::kCPU)
      : checkpoint_(std::move(checkpoint)), dtype_(dtype), device_(device) {}

  Weights operator[](const std::string& name) const;
  Weights operator[](int index) const { return (*this)[std::to_string(index)]; }

  /// Throws Error (model) with key, file, expected and found shape when it is missing or another.
  at::Tensor tensor(const std::string& name, at::IntArrayRef shape) const;
  bool has(const std::string& name) const { return checkpoint_->find(prefix_ + name) != nullptr; }

  at::ScalarType dtype() const { return dtype_; }
  at::Device device() const { return device_; }

 private:
  std::shared_ptr<const Checkpoint> checkpoint_;
  at::ScalarType dtype_;
  at::Device device_;
  std::string prefix_;  // "" or "down_blocks.0."
};

}  // namespace geometry_transfer
