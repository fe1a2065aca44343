// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/kernels/panel_attention.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "diffusion/kernels/avx512.h"
#include "diffusion/kernels/panel_attention_kernel.h"

namespace geometry_transfer {
namespace {

/// Packs keys into panels (channel, 2 registers of keys) and values into panels (key, 1 or 2 registers of channels),
/// padded with zeros.
void pack(const HeadSize& c, const KeyStretch& s, int64_t h, float* to) {
  const at::Tensor &k = s.block->k, &v = s.block->v;
  const int64_t panel = 2 * c.lanes, padded = c.padded(), k_row = k.stride(0), v_row = v.stride(0);
  const float *from_k = data<float>(k) + s.first * k_row + h * c.head, *from_v = data<float>(v) + s.first * v_row + h * c.head;
  for (int64_t first = 0; first < s.count; first += panel) {
    float* p = to + s.keys_at + first * c.head;
    const int64_t count = std::min(panel, s.count - first);
    if (count < panel) std::fill(p, p + panel * c.head, 0.0f);
    for (int64_t i = 0; i < count; ++i)
      for (int64_t d = 0; d < c.head; ++d) p[d * panel + i] = from_k[(first + i) * k_row + d];
  }
  for (int64_t d = 0; d < padded; d += panel) {
    const int64_t width = std::min(panel, padded - d), real = std::min(width, c.head - d);
    float* p = to + s.values_at + d * s.count;
    for (int64_t i = 0; i < s.count; ++i, p += width) {
      std::copy(from_v + i * v_row + d, from_v + i * v_row + d + real, p);
      std::fill(p + real, p + width, 0.0f);
    }
  }
}

/// Raises the running maximum, then converts logits to exp(logit * scale + bias - maximum). Returns their sum.
template <int lanes>
GT_INLINE float weights_of(float* __restrict logits, int64_t n, float scale, const float* bias, float& maximum) {
  if (bias)
    for (int64_t i = 0; i < n; ++i) logits[i] = logits[i] * scale + bias[i];
  else
    for (int64_t i = 0; i < n; ++i) logits[i] *= scale;
  constexpr int64_t kWide = 2 * lanes;
  float most[kWide];  // one maximum for each lane, because the compiler may not reorder comparisons
  for (float& m : most) m = maximum;
  int64_t i = 0;
  for (; i + kWide <= n; i += kWide)
    for (int64_t l = 0; l < kWide; ++l) most[l] = logits[i + l] > most[l] ? logits[i + l] : most[l];
  for (; i < n; ++i) most[0] = std::max(most[0], logits[i]);
  for (const float m : most) maximum = std::max(maximum, m);
  const float m = maximum;
  float sum = 0;
  for (i = 0; i < n; ++i) sum += logits[i] = fast_exp(logits[i] - m);
  return sum;
}

/// e^x for the logits of weights_of<lanes>: they are in base e, but with 16 lanes in base 2.
template <int lanes>
GT_INLINE float fade_of(float x) {
  return fast_exp(lanes == 16 ? x * 0.69314718055994531f : x);
}

#if defined(__x86_64__)
template <>
GT_AVX512 float weights_of<16>(float* __restrict logits, int64_t n, float scale, const float* bias, float& maximum) {
  maximum = scaled_maximum_16(logits, n, scale, bias, maximum);
  const __m512 most = _mm512_set1_ps(maximum);
  __m512 sum = _mm512_setzero_ps();
  for (int64_t i = 0; i < n; i += 16) {
    const __m512 weight = exp2_of(_mm512_sub_ps(_mm512_loadu_ps(logits + i), most));
    _mm512_storeu_ps(logits + i, weight);
    sum = _mm512_add_ps(sum, weight);
  }
  return _mm512_reduce_add_ps(sum);
}
#endif

template <int lanes>
GT_INLINE void attend_body(const HeadTask& task, AttentionScratch& scratch) {
  constexpr int64_t kPanel = 2 * lanes, kRow = kAttentionKeys + 32;
  const int64_t head = task.size.head, padded = task.size.padded(), q_row = task.q_row;
  const float* q = static_cast<const float*>(task.q);
  const float scale = static_cast<float>(1 / std::sqrt(static_cast<double>(head)));
  std::fill(scratch.mixed.begin(), scratch.mixed.end(), 0.0f);
  std::fill(scratch.maximum.begin(), scratch.maximum.end(), std::numeric_limits<float>::lowest());
  std::fill(scratch.total.begin(), scratch.total.end(), 0.0f);
  float* logits = scratch.logits.data();
  for (const KeyStretch& s : task.stretches) {
    const float* bias = s.block->bias.defined() ? data<float>(s.block->bias) + s.first : nullptr;
    const float *keys = task.packed + s.keys_at, *values = task.packed + s.values_at;
    by_rows<lanes>(
        task.rows, [&](int64_t first, auto size) __attribute__((always_inline)) {
          constexpr int kRows = decltype(size)::value;
          for (int64_t key = 0; key < s.count; key += kPanel)
            panel_product<lanes, kRows, 2, false>(q + first * q_row, q_row, keys + key * head, head, logits + key, kRow);
          for (int r = 0; r < kRows; ++r) {
            float &maximum = scratch.maximum[first + r], &total = scratch.total[first + r];
            const float before = maximum, sum = weights_of<lanes>(logits + r * kRow, s.count, scale, bias, maximum);
            const float fade = fade_of<lanes>(before - maximum);  // earlier sums used a lower maximum
            total = total * fade + sum;
            if (fade != 1)
              for (int64_t d = 0; d < padded; ++d) scratch.mixed[(first + r) * padded + d] *= fade;
          }
          float* mixed = scratch.mixed.data() + first * padded;
          int64_t d = 0;
          for (; d + kPanel <= padded; d += kPanel)
            panel_product<lanes, kRows, 2, true>(logits, kRow, values + d * s.count, s.count, mixed + d, padded);
          if (d < padded) panel_product<lanes, kRows, 1, true>(logits, kRow, values + d * s.count, s.count, mixed + d, padded);
        });
  }
  float* out = static_cast<float*>(task.out);
  for (int64_t r = 0; r < task.rows; ++r) {
    const float inverse = 1 / scratch.total[r];
    for (int64_t d = 0; d < head; ++d) out[r * task.out_row + d] = scratch.mixed[r * padded + d] * inverse;
  }
}

#if defined(__x86_64__)
GT_AVX512 void attend_16(const HeadTask& task, AttentionScratch& scratch) { attend_body<16>(task, scratch); }
__attribute__((target("avx2,fma"))) void attend_8(const HeadTask& task, AttentionScratch& scratch) {
  attend_body<8>(task, scratch);
}
#endif
void attend_4(const HeadTask& task, AttentionScratch& scratch) { attend_body<4>(task, scratch); }

AttentionKernel kernel_of(int lanes) {
#if defined(__x86_64__)
  if (lanes == 16) return {16, 1, pack, attend_16};
  if (lanes == 8) return {8, 1, pack, attend_8};
#else
  (void)lanes;
#endif
  return {4, 1, pack, attend_4};
}

}  // namespace

bool can_attend_by_panels(const at::Tensor& q, int64_t heads) {
  if (!q.device().is_cpu()) return false;
  if (q.scalar_type() == at::kFloat) return true;
  return q.scalar_type() == at::kBFloat16 && has_bf16_dots() && q.size(-1) / heads % 2 == 0;
}

void panel_attention(const at::Tensor& q, const std::vector<KeyTile>& keys, int64_t heads, at::Tensor& out, int lanes) {
  const bool wide = q.scalar_type() == at::kFloat;
  const AttentionKernel kernel = wide ? kernel_of(lanes ? lanes : widest_lanes()) : bf16_attention_kernel();
  const HeadSize head{q.size(1) / heads, kernel.lanes};
  std::vector<KeyStretch> stretches;
  int64_t size = 0;
  for (const KeyTile& block : keys)
    for (int64_t first = 0; first < block.k.size(0); first += kAttentionKeys) {
      const int64_t count = std::min(kAttentionKeys, block.k.size(0) - first), panel = 2 * kernel.lanes,
                    keys_size = (count + panel - 1) / panel * panel * (head.head / kernel.together);
      stretches.push_back({&block, first, count, size, size + keys_size});
      size += keys_size + (count + kernel.together - 1) / kernel.together * head.padded();
    }
  const at::Tensor packed = at::empty({heads, size}, at::kFloat);
  const int64_t parts = static_cast<int64_t>(stretches.size());
  at::parallel_for(0, heads * parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      kernel.pack(head, stretches[i % parts], i / parts, data<float>(packed) + i / parts * size);
  });

  const int64_t tokens = q.size(0), q_row = q.stride(0), out_row = out.stride(0),
                tiles = (tokens + kAttentionQueries - 1) / kAttentionQueries, item = q.element_size();
  at::parallel_for(0, heads * tiles, 1, [&](int64_t begin, int64_t end) {
    AttentionScratch scratch(head.padded());
    for (int64_t i = begin; i < end; ++i) {
      const int64_t h = i / tiles, first = i % tiles * kAttentionQueries;
      kernel.attend(
          {head, stretches, data<float>(packed) + h * size, data<char>(q) + (first * q_row + h * head.head) * item, q_row,
           std::min(kAttentionQueries, tokens - first), data<char>(out) + (first * out_row + h * head.head) * item, out_row},
          scratch);
    }
  });
}

}  // namespace geometry_transfer
