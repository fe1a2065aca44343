// SPDX-License-Identifier: GPL-3.0-or-later
/// exp and erf as straight-line arithmetic, so that compilers vectorise loops over them. Also the attribute that
/// compiles a function for each width of the processor. Errors in fp32: below 3e-7 relative for exp, 2e-7 absolute for
/// erf.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <cstring>

/// Compiles a function for each level of x86-64, so that its loops run at the processor's full width. v3 is AVX2, v4
/// AVX-512. Both have fused multiply-adds at every width; "avx2" and "avx512f" alone do not. An "arch=" with a
/// processor's name would match that processor only.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define GT_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "avx2", "default")))
#else
#define GT_VECTOR_CLONES
#endif
#define GT_INLINE inline __attribute__((always_inline))

// Pointers that these loops write are __restrict. Otherwise the compiler tests at run time whether memory overlaps, and
// uses plain code if a piece begins within 64 bytes behind another. Plain code may round differently from vector code
// (in one fused step or in two). So the last bit of a result would depend on addresses.

namespace geometry_transfer {

/// Returns e^x = 2^n times a polynomial of the rest (Cephes expf). Clamps x to +-87.
GT_INLINE float fast_exp(float x) {
  x = x > 87.0f ? 87.0f : x < -87.0f ? -87.0f : x;
  // Rounds n = x / ln 2 by truncating n + 127 + 0.5, which is never negative. Adding 1.5 * 2^23 would be lost in loops
  // whose sums may be reordered.
  const std::int32_t whole = static_cast<std::int32_t>(x * 1.44269504088896341f + 127.5f);
  const float n = static_cast<float>(whole - 127);
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const std::int32_t bits = whole << 23;  // 2^n
  float power;
  std::memcpy(&power, &bits, 4);
  return p * power;
}

GT_INLINE float silu(float x) { return x / (1.0f + fast_exp(-x)); }

/// Formula 7.1.26 of Abramowitz and Stegun.
GT_INLINE float fast_erf(float x) {
  const float a = x < 0 ? -x : x;
  const float t = 1.0f / (1.0f + 0.3275911f * a);
  const float y = 1.0f - ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t *
                             fast_exp(-a * a);
  return x < 0 ? -y : y;
}

GT_INLINE float gelu(float x) { return 0.5f * x * (1.0f + fast_erf(x * 0.70710678118654752f)); }

/// Load and store fp32 values in memory of either type.
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

/// Convert n <= kStretch numbers to fp32 and back. These are loops of their own, because compilers vectorise a loop
/// that only converts, but not one that also computes in another width. fp32 is read in place.
constexpr std::int64_t kStretch = 256;
GT_INLINE const float* loaded(const float* p, std::int64_t, float*) { return p; }
GT_INLINE const float* loaded(const std::uint16_t* p, std::int64_t n, float* room) {
  for (std::int64_t i = 0; i < n; ++i) room[i] = load(p + i);
  return room;
}

/// y[c] = f(c, x[c]) for n numbers, computed in fp32. f is inlined.
template <class F>
GT_INLINE void map_row(const float* x, float* __restrict y, std::int64_t n, const F& f) {
  for (std::int64_t c = 0; c < n; ++c) y[c] = f(c, x[c]);
}
template <class F>
GT_INLINE void map_row(const std::uint16_t* x, std::uint16_t* __restrict y, std::int64_t n, const F& f) {
  float room[kStretch];
  for (std::int64_t first = 0; first < n; first += kStretch) {
    const std::int64_t count = n - first < kStretch ? n - first : kStretch;
    loaded(x + first, count, room);
    for (std::int64_t i = 0; i < count; ++i) room[i] = f(first + i, room[i]);
    for (std::int64_t i = 0; i < count; ++i) store(y + first + i, room[i]);
  }
}

/// A pointer to a tensor's memory as the loops of the kernels use it.
template <class T>
T* data(const at::Tensor& t) {
  return static_cast<T*>(t.data_ptr());
}

/// True for types and devices that these kernels handle. All others go through libtorch's operators.
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
