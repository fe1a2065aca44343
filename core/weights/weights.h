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

class WideningBuffer;

class Weights {
 public:
  /// Tensors come out as `dtype` on `device`; without copying where they are so on disk already (the mapping is kept alive by
  /// them, and its pages are given back with the last of them). `keep_narrow`: matrices that the file has in 16 bits come out so
  /// on the processor, though `dtype` is fp32, and are widened where they are used.
  Weights(std::shared_ptr<const Checkpoint> checkpoint, at::ScalarType dtype, at::Device device = at::kCPU,
          bool keep_narrow = false);

  Weights operator[](const std::string& name) const;
  Weights operator[](int index) const { return (*this)[std::to_string(index)]; }

  /// Throws Error (model) with key, file, expected and found shape when it is missing or another.
  at::Tensor tensor(const std::string& name, at::IntArrayRef shape) const;
  /// The same, of what is multiplied with: may come out in 16 bits.
  at::Tensor matrix(const std::string& name, at::IntArrayRef shape) const;
  /// Where a matrix that came out narrower than dtype() is widened; null for another.
  std::shared_ptr<WideningBuffer> buffer_for(const at::Tensor& matrix) const {
    return matrix.scalar_type() == dtype_ ? nullptr : buffer_;
  }
  bool has(const std::string& name) const { return checkpoint_->find(prefix_ + name) != nullptr; }

  at::ScalarType dtype() const { return dtype_; }
  at::Device device() const { return device_; }

 private:
  at::Tensor read(const std::string& name, at::IntArrayRef shape, bool as_stored) const;

  std::shared_ptr<const Checkpoint> checkpoint_;
  at::ScalarType dtype_;
  at::Device device_;
  std::shared_ptr<WideningBuffer> buffer_;
  std::string prefix_;  // "" or "down_blocks.0."
};

}  // namespace geometry_transfer
