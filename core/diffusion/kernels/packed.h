// SPDX-License-Identifier: GPL-3.0-or-later
/// Linear layers and convolutions on oneDNN directly. Weights are reordered once into the layout that this processor's
/// kernel wants. Primitives are kept by shape. Residual and bias are added inside the kernel. libtorch's own operators
/// reorder the weights at every call, and leave fp32 matrix products to the BLAS. fp32 and bf16, processor only. Not
/// thread safe: one transfer at a time.
#pragma once

#include <ATen/ATen.h>

#include <exception>
#include <memory>

#include "diffusion/kernels/widening.h"

namespace geometry_transfer {

/// True if this build has oneDNN and the tensor is on the processor in a type that oneDNN takes. fp16 is taken only if
/// `widened`.
bool can_pack(const at::Tensor& weight, bool widened = false);

/// True if this exception of oneDNN reports a lack of memory.
bool lacks_memory(const std::exception& e);

class PackedLinear {
 public:
  /// weight (out, in), bias (out) or undefined. With `buffer`, the weight has 16 bits and stays so; the layer computes
  /// in fp32.
  PackedLinear(const at::Tensor& weight, const at::Tensor& bias, std::shared_ptr<WideningBuffer> buffer = nullptr);
  /// x (..., in), contiguous rows -> (..., out). Adds `add` of that shape if it is defined.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& add = {}) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

class PackedConv2d {
 public:
  /// weight (out, in, k, k), bias (out); `buffer` as in PackedLinear.
  PackedConv2d(const at::Tensor& weight, const at::Tensor& bias, int64_t stride, int64_t padding,
               std::shared_ptr<WideningBuffer> buffer = nullptr);
  /// x (B, in, H, W) channels-last -> (B, out, H', W') channels-last. Adds `add` of that shape if it is defined. `bias`
  /// (out) fp32 replaces the layer's own if it is defined. `has_halo`: x includes its halo, so nothing is padded.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& add = {}, const at::Tensor& bias = {},
                        bool has_halo = false) const;
  /// Returns the layer's own bias, fp32.
  const at::Tensor& bias() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// One matrix product c = a b, or c += a b, of fixed shape and strides. run() may be called from several threads at
/// once. Inside a parallel region each product runs on the calling thread.
class StridedMatmul {
 public:
  /// a (M, K) with rows `a_row` elements apart. b (K, N) with element (k, n) at k * b_k + n * b_n. c (M, N) fp32 with
  /// rows c_row apart.
  /// `type` of a and b: fp32 or bf16.
  StridedMatmul(at::ScalarType type, int64_t M, int64_t N, int64_t K, int64_t a_row, int64_t b_k, int64_t b_n, int64_t c_row,
                bool accumulate);
  void run(const void* a, const void* b, float* c) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace geometry_transfer
