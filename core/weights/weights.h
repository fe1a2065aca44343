// SPDX-License-Identifier: GPL-3.0-or-later
/// A prefix into a checkpoint, like a folder of files: weights["down_blocks"][0]["resnets"]. A layer loads its tensors
/// in its constructor, so a layer that exists is loaded.
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
  /// Returns tensors as `dtype` on `device`, without a copy if they are so on disk. Such tensors keep the mapping
  /// alive, and free its pages at their end. `keep_narrow`: on the processor, matrices with 16 bits in the file keep
  /// them although `dtype` is fp32; they are widened where they are used.
  Weights(std::shared_ptr<const Checkpoint> checkpoint, at::ScalarType dtype, at::Device device = at::kCPU,
          bool keep_narrow = false);

  Weights operator[](const std::string& name) const;
  Weights operator[](int index) const { return (*this)[std::to_string(index)]; }

  /// Throws Error (model) with key, file, expected and found shape when it is missing or another.
  at::Tensor tensor(const std::string& name, at::IntArrayRef shape) const;
  /// Does the same for a matrix, which may keep its 16 bits.
  at::Tensor matrix(const std::string& name, at::IntArrayRef shape) const;
  /// Returns the buffer for widening a 16-bit matrix; null for others.
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
