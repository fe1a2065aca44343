// SPDX-License-Identifier: GPL-3.0-or-later
/// Weights that stay in 16 bits but are computed with in fp32. They take half the memory and give the same result to
/// the bit, for one more pass over the weights at each use.
#pragma once

#include <ATen/ATen.h>

#include <memory>

namespace geometry_transfer {

/// Memory in which a layer's weights are widened just before use. One for each network, since its layers run one after
/// the other. It grows to the largest layer. Not thread safe.
class WideningBuffer {
 public:
  /// `narrow` (n,) of fp16 or bf16 -> (n,) fp32, valid until the next call. Exact, subnormal numbers included.
  at::Tensor widen(const at::Tensor& narrow);

 private:
  at::Tensor memory_;
};

/// Converts (n,) fp32 to `type`, fp16 or bf16: the inverse of widen(). Cuts off bits that `type` does not hold.
at::Tensor narrowed(const at::Tensor& wide, at::ScalarType type);

}  // namespace geometry_transfer
