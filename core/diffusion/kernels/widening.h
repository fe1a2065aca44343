// SPDX-License-Identifier: GPL-3.0-or-later
/// Weights that stay in 16 bits and are computed with in fp32: half the memory, the same result to the bit, for one pass over the
/// weights more at each use.
#pragma once

#include <ATen/ATen.h>

#include <memory>

namespace geometry_transfer {

/// Where a layer's weights are widened just before they are used. One for a network, since one of its layers runs at a time; it
/// grows to the widest. Not thread safe.
class WideningBuffer {
 public:
  /// `narrow` (n,) of fp16 or bf16 -> (n,) fp32, valid until the next call. Exact, subnormal numbers included.
  at::Tensor widen(const at::Tensor& narrow);

 private:
  at::Tensor memory_;
};

/// (n,) fp32 -> `type`, fp16 or bf16: the inverse of widen(). Numbers that `type` does not hold are cut off.
at::Tensor narrowed(const at::Tensor& wide, at::ScalarType type);

}  // namespace geometry_transfer
