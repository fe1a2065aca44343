// SPDX-License-Identifier: GPL-3.0-or-later
/// exp and erf as straight-line arithmetic, so that loops over them become vector code; and the clones that make one source run
/// at each processor's width. Errors are relative to fp32: below 3e-7 for exp, 2e-7 absolute for erf.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <cstring>

/// On a function whose loops should run at the processor's full width. Clones by instruction set, not by "arch=": that matches
/// named processors only, and a newer one than the compiler knows would get the default.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define GT_VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define GT_VECTOR_CLONES
#endif
#define GT_INLINE inline __attribute__((always_inline))

namespace geometry_transfer {

/// e^x: 2^n times a polynomial of the rest (Cephes expf); x is clamped to +-87.
GT_INLINE float fast_exp(float x) {
  x = x > 87.0f ? 87.0f : x < -87.0f ? -87.0f : x;
  // Not by adding 1.5 * 2^23: loops whose sums may be reassociated would lose that rounding.
  const float scaled = x * 1.44269504088896341f;
  const std::int32_t whole = static_cast<std::int32_t>(scaled + (scaled < 0 ? -0.5f : 0.5f));
  const float n = static_cast<float>(whole);
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const std::int32_t bits = (whole + 127) << 23;  // 2^n
  float power;
  std::memcpy(&power, &bits, 4);
  return p * power;
}

GT_INLINE float silu(float x) { return x / (1.0f + fast_exp(-x)); }

/// Abramowitz and Stegun 7.1.26.
GT_INLINE float fast_erf(float x) {
  const float a = x < 0 ? -x : x;
  const float t = 1.0f / (1.0f + 0.3275911f * a);
  const float y = 1.0f - ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t *
                             fast_exp(-a * a);
  return x < 0 ? -y : y;
}

GT_INLINE float gelu(float x) { return 0.5f * x * (1.0f + fast_erf(x * 0.70710678118654752f)); }

/// Loads and stores in fp32, whatever the memory holds.
GT_INLINE float load(const float* p) { return *p; }
GT_INLINE void store(float* p, float v) { *p = v; }
GT_INLINE float load(const std::uint16_t* p) {  // bf16: the upper half of an fp32
  const std::uint32_t bits = static_cast<std::uint32_t>(*p) << 16;
  float v;
  std::memcpy(&v, &bits, 4);
  return v;
}
GT_INLINE void store(std::uint16_t* p, float v) {  // round to nearest even
  std::uint32_t bits;
  std::memcpy(&bits, &v, 4);
  *p = static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

/// The memory of a tensor as the kernels' loops see it.
template <class T>
T* data(const at::Tensor& t) {
  return static_cast<T*>(t.data_ptr());
}

/// Types and device that these kernels handle; anything else goes through libtorch's operators.
inline bool has_kernel(const at::Tensor& t) {
  return t.device().is_cpu() && (t.scalar_type() == at::kFloat || t.scalar_type() == at::kBFloat16);
}

/// Calls f with a null pointer of the element type: float for fp32, std::uint16_t for bf16.
template <class F>
void with_type(const at::Tensor& t, const F& f) {
  if (t.scalar_type() == at::kFloat)
    f(static_cast<float*>(nullptr));
  else
    f(static_cast<std::uint16_t*>(nullptr));
}

}  // namespace geometry_transfer
