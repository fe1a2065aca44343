// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/kernels/widening.h"

#include <ATen/Parallel.h>

#include "diffusion/kernels/vector_math.h"

namespace geometry_transfer {
namespace {

constexpr int64_t kGrain = 1 << 14;

GT_INLINE std::uint32_t bits_of(float v) {
  std::uint32_t bits;
  std::memcpy(&bits, &v, 4);
  return bits;
}
GT_INLINE float float_of(std::uint32_t bits) {
  float v;
  std::memcpy(&v, &bits, 4);
  return v;
}

// Binary16 has 10 bits of fraction, binary32 has 23. The exponents differ by 112, or by 224 for infinity and NaN. Below
// the least normal number, 2^-14 (exponent 113 in binary32), the fraction has no leading one.
constexpr std::uint32_t kLeast = 113u << 23, kInfinity16 = 31u << 23, kInfinity32 = 255u << 23;

GT_INLINE float from_f16(std::uint16_t h) {
  const std::uint32_t sign = (h & 0x8000u) << 16, rest = (h & 0x7fffu) << 13;
  const std::uint32_t subnormal = bits_of(float_of(kLeast | rest) - float_of(kLeast));
  const std::uint32_t normal = rest + (rest >= kInfinity16 ? 224u << 23 : 112u << 23);
  return float_of(sign | (rest < (1u << 23) ? subnormal : normal));
}
GT_INLINE std::uint16_t to_f16(float v) {
  const std::uint32_t bits = bits_of(v), size = bits & 0x7fffffffu;
  const std::uint32_t subnormal = bits_of(float_of(size) + float_of(kLeast)) - kLeast;
  const std::uint32_t normal = size - (size >= kInfinity32 ? 224u << 23 : 112u << 23);
  return static_cast<std::uint16_t>((bits >> 16 & 0x8000u) | (size < kLeast ? subnormal : normal) >> 13);
}

GT_VECTOR_CLONES void widen_f16(const std::uint16_t* from, float* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = from_f16(from[i]);
}
GT_VECTOR_CLONES void widen_bf16(const std::uint16_t* from, float* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = load(from + i);
}
GT_VECTOR_CLONES void narrow_f16(const float* from, std::uint16_t* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = to_f16(from[i]);
}
GT_VECTOR_CLONES void narrow_bf16(const float* from, std::uint16_t* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = static_cast<std::uint16_t>(bits_of(from[i]) >> 16);
}

}  // namespace

at::Tensor WideningBuffer::widen(const at::Tensor& narrow) {
  const int64_t n = narrow.numel();
  if (!memory_.defined() || memory_.numel() < n) {
    memory_.reset();  // free the old memory first
    memory_ = at::empty({n}, at::kFloat);
  }
  const auto* from = data<const std::uint16_t>(narrow);
  float* to = data<float>(memory_);
  const auto loop = narrow.scalar_type() == at::kHalf ? widen_f16 : widen_bf16;
  at::parallel_for(0, n, kGrain, [&](int64_t begin, int64_t end) { loop(from + begin, to + begin, end - begin); });
  return memory_.narrow(0, 0, n);
}

at::Tensor narrowed(const at::Tensor& wide, at::ScalarType type) {
  const int64_t n = wide.numel();
  at::Tensor narrow = at::empty({n}, type);
  const float* from = data<const float>(wide);
  auto* to = data<std::uint16_t>(narrow);
  const auto loop = type == at::kHalf ? narrow_f16 : narrow_bf16;
  at::parallel_for(0, n, kGrain, [&](int64_t begin, int64_t end) { loop(from + begin, to + begin, end - begin); });
  return narrow;
}

}  // namespace geometry_transfer
