// SPDX-License-Identifier: GPL-3.0-or-later
/// One row of softmax with AVX-512 intrinsics, because the compiler needs more instructions for it.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#pragma GCC diagnostic push  // g++ 12 warns about undefined operands in its own header (its bug 105593)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

/// Marks each function that uses these instructions. The rest of the program runs without them.
#define GT_AVX512 __attribute__((target("avx512f,avx2,fma")))
#define GT_AVX512_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma")))

namespace geometry_transfer {

/// Returns 2^x. The whole part becomes the exponent, the rest goes through a polynomial (Cephes exp2f). The relative
/// error is below 2e-7. Values too small for fp32 become 0.
GT_AVX512 inline __m512 exp2_of(__m512 x) {
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC), r = _mm512_sub_ps(x, whole);
  __m512 p = _mm512_set1_ps(1.535336188319500e-4f);
  for (const float c :
       {1.339887440266574e-3f, 9.618437357674640e-3f, 5.550332471162809e-2f, 2.402264791363012e-1f, 6.931472028550421e-1f, 1.0f})
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(c));
  return _mm512_scalef_ps(p, whole);
}

/// Scales the logits of one query to base 2: logits <- (logits * scale + bias) log2 e. Returns the maximum of them and
/// `maximum`. Pads up to a multiple of 16 with logits so low that their weight is 0.
GT_AVX512 inline float scaled_maximum_16(float* logits, int64_t n, float scale, const float* bias, float maximum) {
  constexpr float kLog2e = 1.44269504088896341f, kLowest = -1e30f;
  const __m512 factor = _mm512_set1_ps(scale * kLog2e), unit = _mm512_set1_ps(kLog2e);
  __m512 most = _mm512_set1_ps(maximum);
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 there = n - i >= 16 ? 0xffff : static_cast<__mmask16>((1u << (n - i)) - 1);
    const __m512 logit = _mm512_mask_loadu_ps(_mm512_set1_ps(0), there, logits + i);
    __m512 scaled = _mm512_mul_ps(logit, factor);
    if (bias) scaled = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(there, bias + i), unit, scaled);
    scaled = _mm512_mask_mov_ps(_mm512_set1_ps(kLowest), there, scaled);
    _mm512_storeu_ps(logits + i, scaled);
    most = _mm512_max_ps(most, scaled);
  }
  return _mm512_reduce_max_ps(most);
}

}  // namespace geometry_transfer
#endif
