// SPDX-License-Identifier: GPL-3.0-or-later
/// panel_attention in bf16. VDPBF16PS multiplies pairs of neighbours and adds to fp32. So keys are packed in pairs of
/// channels, and values in pairs of keys. Logits, softmax and sums are fp32. The weights are rounded to bf16 before the
/// product with the values.
#include <algorithm>
#include <cmath>
#include <limits>

#include "diffusion/kernels/avx512.h"
#include "diffusion/kernels/panel_attention_kernel.h"

namespace geometry_transfer {

#if defined(__x86_64__)
namespace {

constexpr int64_t kLanes = 16, kPanel = 2 * kLanes, kRow = kAttentionKeys + 32;

GT_INLINE std::uint32_t pair_at(const std::uint16_t* p) {
  std::uint32_t pair;
  std::memcpy(&pair, p, sizeof pair);
  return pair;
}

void pack(const HeadSize& size, const KeyStretch& s, int64_t h, float* to) {
  const at::Tensor &k = s.block->k, &v = s.block->v;
  const int64_t pairs = size.head / 2, padded = size.padded(), k_row = k.stride(0), v_row = v.stride(0);
  const auto *from_k = data<const std::uint16_t>(k) + s.first * k_row + h * size.head,
             *from_v = data<const std::uint16_t>(v) + s.first * v_row + h * size.head;
  auto* units = reinterpret_cast<std::uint32_t*>(to);
  for (int64_t first = 0; first < s.count; first += kPanel) {
    std::uint32_t* p = units + s.keys_at + first * pairs;
    const int64_t count = std::min(kPanel, s.count - first);
    if (count < kPanel) std::fill(p, p + kPanel * pairs, 0);
    for (int64_t i = 0; i < count; ++i)
      for (int64_t d = 0; d < pairs; ++d) p[d * kPanel + i] = pair_at(from_k + (first + i) * k_row + 2 * d);
  }
  const int64_t key_pairs = (s.count + 1) / 2;
  for (int64_t d = 0; d < padded; d += kPanel) {
    const int64_t width = std::min(kPanel, padded - d), real = std::min(width, size.head - d);
    std::uint32_t* p = units + s.values_at + d * key_pairs;
    for (int64_t i = 0; i < s.count; i += 2, p += width) {
      const std::uint16_t *low = from_v + i * v_row + d, *high = low + v_row;
      if (i + 1 < s.count)
        for (int64_t c = 0; c < real; ++c) p[c] = low[c] | static_cast<std::uint32_t>(high[c]) << 16;
      else
        for (int64_t c = 0; c < real; ++c) p[c] = low[c];
      std::fill(p + real, p + width, 0);
    }
  }
}

#define GT_DOTS GT_AVX512_BF16 GT_INLINE

/// panel_product of pairs: m (rows, wide registers) <- or += a (rows, pairs of bf16) times one panel (pairs, wide
/// registers).
template <int rows, int wide, bool more>
GT_DOTS void pair_product(const std::uint16_t* a, int64_t a_row, const float* panel, int64_t pairs, float* m, int64_t m_row) {
  __m512 sum[rows][wide];
#pragma GCC unroll 12
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 2
    for (int w = 0; w < wide; ++w) sum[r][w] = more ? _mm512_loadu_ps(m + r * m_row + w * kLanes) : _mm512_setzero_ps();
  for (int64_t k = 0; k < pairs; ++k) {
    __m512bh column[wide];
#pragma GCC unroll 2
    for (int w = 0; w < wide; ++w) column[w] = (__m512bh)_mm512_loadu_ps(panel + (k * wide + w) * kLanes);
#pragma GCC unroll 12
    for (int r = 0; r < rows; ++r) {
      const __m512bh one = (__m512bh)_mm512_set1_epi32(static_cast<int>(pair_at(a + r * a_row + 2 * k)));
#pragma GCC unroll 2
      for (int w = 0; w < wide; ++w) sum[r][w] = _mm512_dpbf16_ps(sum[r][w], one, column[w]);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 2
    for (int w = 0; w < wide; ++w) _mm512_storeu_ps(m + r * m_row + w * kLanes, sum[r][w]);
}

/// Converts the logits of one query to weights in bf16, in the same memory, padded with zeros to a multiple of 16.
/// Returns their sum.
GT_AVX512_BF16 float weights_of(float* logits, int64_t n, float scale, const float* bias, float& maximum) {
  maximum = scaled_maximum_16(logits, n, scale, bias, maximum);
  const __m512 most = _mm512_set1_ps(maximum);
  __m512 sum = _mm512_setzero_ps();
  auto* weights = reinterpret_cast<char*>(logits);
  for (int64_t i = 0; i < n; i += 16) {
    const __m512 weight = exp2_of(_mm512_sub_ps(_mm512_loadu_ps(logits + i), most));
    sum = _mm512_add_ps(sum, weight);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(weights + 2 * i), (__m256i)_mm512_cvtneps_pbh(weight));
  }
  return _mm512_reduce_add_ps(sum);
}

/// Computes rows [first, first + rows) of a task against one stretch.
template <int rows>
GT_DOTS void attend_rows(const HeadTask& task, const KeyStretch& s, int64_t first, float scale, AttentionScratch& scratch) {
  const int64_t pairs = task.size.head / 2, padded = task.size.padded(), key_pairs = (s.count + 1) / 2;
  const float *keys = task.packed + s.keys_at, *values = task.packed + s.values_at;
  const float* bias = s.block->bias.defined() ? data<float>(s.block->bias) + s.first : nullptr;
  float *logits = scratch.logits.data(), *mixed = scratch.mixed.data() + first * padded;
  const auto* q = static_cast<const std::uint16_t*>(task.q) + first * task.q_row;
  for (int64_t key = 0; key < s.count; key += kPanel)
    pair_product<rows, 2, false>(q, task.q_row, keys + key * pairs, pairs, logits + key, kRow);
  for (int r = 0; r < rows; ++r) {
    float &maximum = scratch.maximum[first + r], &total = scratch.total[first + r];
    const float before = maximum, sum = weights_of(logits + r * kRow, s.count, scale, bias, maximum);
    const float fade = fast_exp((before - maximum) * 0.69314718055994531f);  // logits are in base 2
    total = total * fade + sum;
    if (fade != 1)
      for (int64_t d = 0; d < padded; ++d) mixed[r * padded + d] *= fade;
  }
  const auto* weights = reinterpret_cast<const std::uint16_t*>(logits);
  int64_t d = 0;
  for (; d + kPanel <= padded; d += kPanel)
    pair_product<rows, 2, true>(weights, 2 * kRow, values + d * key_pairs, key_pairs, mixed + d, padded);
  if (d < padded) pair_product<rows, 1, true>(weights, 2 * kRow, values + d * key_pairs, key_pairs, mixed + d, padded);
}

GT_AVX512_BF16 void attend(const HeadTask& task, AttentionScratch& scratch) {
  const int64_t head = task.size.head, padded = task.size.padded();
  const float scale = static_cast<float>(1 / std::sqrt(static_cast<double>(head)));
  std::fill(scratch.mixed.begin(), scratch.mixed.end(), 0.0f);
  std::fill(scratch.maximum.begin(), scratch.maximum.end(), std::numeric_limits<float>::lowest());
  std::fill(scratch.total.begin(), scratch.total.end(), 0.0f);
  constexpr int kRows = kPanelRows<kLanes>;
  for (const KeyStretch& s : task.stretches) {
    int64_t row = 0;
    for (; row + kRows <= task.rows; row += kRows) attend_rows<kRows>(task, s, row, scale, scratch);
    for (; row + 4 <= task.rows; row += 4) attend_rows<4>(task, s, row, scale, scratch);
    for (; row < task.rows; ++row) attend_rows<1>(task, s, row, scale, scratch);
  }
  auto* out = static_cast<std::uint16_t*>(task.out);
  for (int64_t r = 0; r < task.rows; ++r) {
    const float inverse = 1 / scratch.total[r];
    for (int64_t d = 0; d < head; ++d) store(out + r * task.out_row + d, scratch.mixed[r * padded + d] * inverse);
  }
}

}  // namespace

bool has_bf16_dots() {
  return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq");
}

AttentionKernel bf16_attention_kernel() { return {kLanes, 2, pack, attend}; }

#else

bool has_bf16_dots() { return false; }
AttentionKernel bf16_attention_kernel() { return {}; }

#endif

}  // namespace geometry_transfer
