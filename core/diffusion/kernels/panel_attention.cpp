// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/kernels/panel_attention.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "diffusion/kernels/panel.h"

namespace geometry_transfer {
namespace {

constexpr int64_t kQueries = 96;  // of one task: a multiple of the rows of a panel
constexpr int64_t kKeys = 512;    // of a stretch: keys and values of a head are 128 KiB, the logits of a panel's rows 12 KiB

int64_t up_to_multiple(int64_t n, int64_t of) { return (n + of - 1) / of * of; }

/// A stretch of one block of keys, and where its packed form lies in each head's memory.
struct Stretch {
  const KeyTile* block;
  int64_t first, count;
  int64_t keys_at, values_at;  ///< floats
};

/// Sizes of one call.
struct Call {
  int64_t head, lanes;
  int64_t padded() const { return up_to_multiple(head, lanes); }  ///< channels of a packed head
};

/// Keys -> panels (channel, 2 registers of keys), values -> panels (key, 1 or 2 registers of channels); zeros fill up.
void pack(const Call& c, const Stretch& s, int64_t h, float* to) {
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

/// Turns logits into exp(logit * scale + bias - maximum), the running maximum raised first; returns their sum.
template <int lanes>
GT_INLINE float weights_of(float* logits, int64_t n, float scale, const float* bias, float& maximum) {
  if (bias)
    for (int64_t i = 0; i < n; ++i) logits[i] = logits[i] * scale + bias[i];
  else
    for (int64_t i = 0; i < n; ++i) logits[i] *= scale;
  constexpr int64_t kWide = 2 * lanes;
  float most[kWide];  // a maximum of its own a lane: the compiler may not reorder comparisons by itself
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

/// What one thread works in.
struct Scratch {
  std::vector<float> logits, mixed, maximum, total;
  explicit Scratch(int64_t padded)
      : logits(kPanelRows * (kKeys + 32)), mixed(kQueries * padded), maximum(kQueries), total(kQueries) {}
};

/// Queries [first, first + rows) of one head against everything.
template <int lanes>
GT_INLINE void attend_body(const Call& c, const std::vector<Stretch>& stretches, const float* packed, const float* q,
                           int64_t q_row, int64_t rows, float* out, int64_t out_row, Scratch& scratch) {
  constexpr int64_t kPanel = 2 * lanes, kRow = kKeys + 32;
  const int64_t padded = c.padded();
  const float scale = static_cast<float>(1 / std::sqrt(static_cast<double>(c.head)));
  std::fill(scratch.mixed.begin(), scratch.mixed.end(), 0.0f);
  std::fill(scratch.maximum.begin(), scratch.maximum.end(), std::numeric_limits<float>::lowest());
  std::fill(scratch.total.begin(), scratch.total.end(), 0.0f);
  float* logits = scratch.logits.data();
  for (const Stretch& s : stretches) {
    const float* bias = s.block->bias.defined() ? data<float>(s.block->bias) + s.first : nullptr;
    by_rows(
        rows, [&](int64_t first, auto size) __attribute__((always_inline)) {
          constexpr int kRows = decltype(size)::value;
          for (int64_t key = 0; key < s.count; key += kPanel)
            panel_product<lanes, kRows, 2, false>(q + first * q_row, q_row, packed + s.keys_at + key * c.head, c.head,
                                                  logits + key, kRow);
          for (int r = 0; r < kRows; ++r) {
            float &maximum = scratch.maximum[first + r], &total = scratch.total[first + r];
            const float before = maximum, sum = weights_of<lanes>(logits + r * kRow, s.count, scale, bias, maximum);
            const float fade = fast_exp(before - maximum);  // what was mixed so far was weighed against a lower maximum
            total = total * fade + sum;
            if (fade != 1)
              for (int64_t d = 0; d < padded; ++d) scratch.mixed[(first + r) * padded + d] *= fade;
          }
          float* mixed = scratch.mixed.data() + first * padded;
          int64_t d = 0;
          for (; d + kPanel <= padded; d += kPanel)
            panel_product<lanes, kRows, 2, true>(logits, kRow, packed + s.values_at + d * s.count, s.count, mixed + d, padded);
          if (d < padded)
            panel_product<lanes, kRows, 1, true>(logits, kRow, packed + s.values_at + d * s.count, s.count, mixed + d, padded);
        });
  }
  for (int64_t r = 0; r < rows; ++r) {
    const float inverse = 1 / scratch.total[r];
    for (int64_t d = 0; d < c.head; ++d) out[r * out_row + d] = scratch.mixed[r * padded + d] * inverse;
  }
}

using Attend = void (*)(const Call&, const std::vector<Stretch>&, const float*, const float*, int64_t, int64_t, float*, int64_t,
                        Scratch&);
#if defined(__x86_64__)
__attribute__((target("avx512f,avx2,fma"))) void attend_16(const Call& c, const std::vector<Stretch>& s, const float* packed,
                                                           const float* q, int64_t q_row, int64_t rows, float* out,
                                                           int64_t out_row, Scratch& scratch) {
  attend_body<16>(c, s, packed, q, q_row, rows, out, out_row, scratch);
}
__attribute__((target("avx2,fma"))) void attend_8(const Call& c, const std::vector<Stretch>& s, const float* packed,
                                                  const float* q, int64_t q_row, int64_t rows, float* out, int64_t out_row,
                                                  Scratch& scratch) {
  attend_body<8>(c, s, packed, q, q_row, rows, out, out_row, scratch);
}
#endif
void attend_4(const Call& c, const std::vector<Stretch>& s, const float* packed, const float* q, int64_t q_row, int64_t rows,
              float* out, int64_t out_row, Scratch& scratch) {
  attend_body<4>(c, s, packed, q, q_row, rows, out, out_row, scratch);
}

Attend attend_by(int64_t lanes) {
#if defined(__x86_64__)
  if (lanes == 16) return attend_16;
  if (lanes == 8) return attend_8;
#else
  (void)lanes;
#endif
  return attend_4;
}

}  // namespace

void panel_attention(const at::Tensor& q, const std::vector<KeyTile>& keys, int64_t heads, at::Tensor& out) {
  const Call call{q.size(1) / heads, widest_lanes()};
  std::vector<Stretch> stretches;
  int64_t size = 0;
  for (const KeyTile& block : keys)
    for (int64_t first = 0; first < block.k.size(0); first += kKeys) {
      const int64_t count = std::min(kKeys, block.k.size(0) - first),
                    keys_size = up_to_multiple(count, 2 * call.lanes) * call.head;
      stretches.push_back({&block, first, count, size, size + keys_size});
      size += keys_size + count * call.padded();
    }
  const at::Tensor packed = at::empty({heads, size}, q.options());
  const int64_t parts = static_cast<int64_t>(stretches.size());
  at::parallel_for(0, heads * parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) pack(call, stretches[i % parts], i / parts, data<float>(packed) + i / parts * size);
  });

  const int64_t tokens = q.size(0), q_row = q.stride(0), out_row = out.stride(0), tiles = (tokens + kQueries - 1) / kQueries;
  const Attend attend = attend_by(call.lanes);
  at::parallel_for(0, heads * tiles, 1, [&](int64_t begin, int64_t end) {
    Scratch scratch(call.padded());
    for (int64_t i = begin; i < end; ++i) {
      const int64_t h = i / tiles, first = i % tiles * kQueries;
      attend(call, stretches, data<float>(packed) + h * size, data<float>(q) + first * q_row + h * call.head, q_row,
             std::min(kQueries, tokens - first), data<float>(out) + first * out_row + h * call.head, out_row, scratch);
    }
  });
}

}  // namespace geometry_transfer
