// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/kernels/tiled_attention.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <limits>
#include <map>

#include "diffusion/kernels/packed.h"
#include "diffusion/kernels/panel_attention.h"
#include "diffusion/kernels/vector_math.h"

namespace geometry_transfer {
namespace {

// One tile of logits takes 512 KiB in fp32, so it stays in a core's second-level cache between the two products.
constexpr int64_t kQueries = 128, kKeys = 1024;

constexpr int64_t kLanes = 16;

GT_INLINE float larger(float a, float b) { return a > b ? a : b; }

/// logits <- logits * scale + bias. Returns the maximum of them and `maximum`.
GT_INLINE float scaled_maximum(float* __restrict logits, int64_t n, float scale, const float* bias, float maximum) {
  float lanes[kLanes];  // one maximum for each lane, because the compiler may not reorder comparisons
  for (float& lane : lanes) lane = maximum;
  int64_t i = 0;
  if (bias)
    for (; i < n; ++i) logits[i] = logits[i] * scale + bias[i];
  else
    for (; i < n; ++i) logits[i] *= scale;
  for (i = 0; i + kLanes <= n; i += kLanes)
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] = larger(logits[i + l], lanes[l]);
  for (; i < n; ++i) lanes[0] = larger(logits[i], lanes[0]);
  for (const float lane : lanes) maximum = larger(lane, maximum);
  return maximum;
}

/// Raises the running maximum, then converts a row of logits to exp(logit * scale + bias - maximum). Returns their sum.
GT_VECTOR_CLONES float weights_of_row(float* __restrict logits, std::uint16_t* __restrict weights, int64_t n, float scale,
                                      const float* bias, float& maximum) {
  const float m = maximum = scaled_maximum(logits, n, scale, bias, maximum);
  float sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    const float w = fast_exp(logits[i] - m);
    store(weights + i, w);
    sum += w;
  }
  return sum;
}

/// A stretch of one key block.
struct Stretch {
  const KeyTile* block;
  int64_t first, count;
};

/// The products of all shapes that occur. They are made before the threads start, and shared by them.
class Products {
 public:
  Products(const at::Tensor& q, const std::vector<Stretch>& stretches, int64_t head) {
    const int64_t tail = q.size(0) % kQueries;
    for (const int64_t rows : {std::min(kQueries, q.size(0)), tail ? tail : kQueries})
      for (const Stretch& s : stretches) {
        const int64_t k_row = s.block->k.stride(0), v_row = s.block->v.stride(0);
        logits_.try_emplace({rows, s.count, k_row}, q.scalar_type(), rows, s.count, head, q.stride(0), 1, k_row, kKeys, false);
        for (const bool more : {false, true})
          values_.try_emplace({rows, s.count, v_row, more}, q.scalar_type(), rows, head, s.count, kKeys, v_row, 1, head, more);
      }
  }
  const StridedMatmul& logits(int64_t rows, const Stretch& s) const { return logits_.at({rows, s.count, s.block->k.stride(0)}); }
  const StridedMatmul& values(int64_t rows, const Stretch& s, bool more) const {
    return values_.at({rows, s.count, s.block->v.stride(0), more});
  }

 private:
  std::map<std::tuple<int64_t, int64_t, int64_t>, StridedMatmul> logits_;
  std::map<std::tuple<int64_t, int64_t, int64_t, bool>, StridedMatmul> values_;
};

void attend(const at::Tensor& q, const std::vector<Stretch>& stretches, const Products& products, int64_t heads,
            at::Tensor& out) {
  using T = std::uint16_t;
  const int64_t tokens = q.size(0), channels = q.size(1), head = channels / heads, tiles = (tokens + kQueries - 1) / kQueries;
  const float scale = static_cast<float>(1 / std::sqrt(static_cast<double>(head)));
  at::parallel_for(0, heads * tiles, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> logits(kQueries * kKeys), mixed(kQueries * head), maximum(kQueries), total(kQueries);
    std::vector<T> weights(kQueries * kKeys);
    for (int64_t item = begin; item < end; ++item) {
      const int64_t h = item / tiles, first = item % tiles * kQueries, rows = std::min(kQueries, tokens - first);
      std::fill(maximum.begin(), maximum.end(), std::numeric_limits<float>::lowest());
      std::fill(total.begin(), total.end(), 0.0f);
      for (size_t s = 0; s < stretches.size(); ++s) {
        const Stretch& stretch = stretches[s];
        const KeyTile& block = *stretch.block;
        products.logits(rows, stretch)
            .run(data<T>(q) + first * q.stride(0) + h * head, data<T>(block.k) + stretch.first * block.k.stride(0) + h * head,
                 logits.data());
        const float* bias = block.bias.defined() ? data<float>(block.bias) + stretch.first : nullptr;
        for (int64_t r = 0; r < rows; ++r) {
          const float before = maximum[r];
          const float sum =
              weights_of_row(logits.data() + r * kKeys, weights.data() + r * kKeys, stretch.count, scale, bias, maximum[r]);
          if (s == 0) {
            total[r] = sum;
            continue;
          }
          const float fade = fast_exp(before - maximum[r]);  // earlier sums used a lower maximum
          total[r] = total[r] * fade + sum;
          if (fade != 1)
            for (int64_t c = 0; c < head; ++c) mixed[r * head + c] *= fade;
        }
        products.values(rows, stretch, s > 0)
            .run(weights.data(), data<T>(block.v) + stretch.first * block.v.stride(0) + h * head, mixed.data());
      }
      for (int64_t r = 0; r < rows; ++r) {
        T* to = data<T>(out) + (first + r) * channels + h * head;
        const float inverse = 1 / total[r];
        for (int64_t c = 0; c < head; ++c) store(to + c, mixed[r * head + c] * inverse);
      }
    }
  });
}

}  // namespace

bool can_tile(const at::Tensor& q) { return q.device().is_cpu() && (q.scalar_type() == at::kFloat || can_pack(q)); }

void tiled_attention(const at::Tensor& q, const std::vector<KeyTile>& keys, int64_t heads, at::Tensor& out) {
  if (can_attend_by_panels(q, heads)) return panel_attention(q, keys, heads, out);
  std::vector<Stretch> stretches;
  for (const KeyTile& block : keys)
    for (int64_t first = 0; first < block.k.size(0); first += kKeys)
      stretches.push_back({&block, first, std::min(kKeys, block.k.size(0) - first)});
  const Products products(q, stretches, q.size(1) / heads);
  attend(q, stretches, products, heads, out);
}

}  // namespace geometry_transfer
