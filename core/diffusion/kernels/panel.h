// SPDX-License-Identifier: GPL-3.0-or-later
/// The inner product of the own matrix kernels: a few rows times a panel of columns, with the sums in registers. It is
/// a template over the number of floats in a register. Each caller compiles it for each instruction set and chooses one
/// at run time.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "diffusion/kernels/vector_math.h"

namespace geometry_transfer {

/// Rows of a block. Two registers of sums for each row and three more fit the 16 registers of AVX2 and the 32 of
/// AVX-512.
template <int lanes>
constexpr int kPanelRows = lanes == 16 ? 12 : 6;
constexpr int kMostPanelRows = 12;

template <int lanes>
struct Vector {
  typedef float type __attribute__((vector_size(lanes * sizeof(float))));
  typedef std::uint32_t bits __attribute__((vector_size(lanes * sizeof(float))));
  typedef std::uint16_t halves __attribute__((vector_size(lanes * sizeof(std::uint16_t))));
};

template <class V>
GT_INLINE void get(V& v, const float* p) {
  std::memcpy(&v, p, sizeof v);
}
template <class V>
GT_INLINE void put(float* p, const V& v) {
  std::memcpy(p, &v, sizeof v);
}

/// Loads and stores fp32 registers from and to bf16 memory, rounding to nearest even.
template <class V>
GT_INLINE void get(V& v, const std::uint16_t* p) {
  constexpr int kLanes = sizeof(V) / sizeof(float);
  typename Vector<kLanes>::halves half;
  std::memcpy(&half, p, sizeof half);
  const auto bits = __builtin_convertvector(half, typename Vector<kLanes>::bits) << 16;
  std::memcpy(&v, &bits, sizeof v);
}
template <class V>
GT_INLINE void put(std::uint16_t* p, const V& v) {
  constexpr int kLanes = sizeof(V) / sizeof(float);
  typename Vector<kLanes>::bits bits;
  std::memcpy(&bits, &v, sizeof v);
  bits = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const auto half = __builtin_convertvector(bits, typename Vector<kLanes>::halves);
  std::memcpy(p, &half, sizeof half);
}

/// m (rows, wide registers) <- or += a (rows, depth) times one panel (depth, wide registers). Rows of `a` and `m` are
/// a_row and m_row floats apart.
template <int lanes, int rows, int wide, bool more>
GT_INLINE void panel_product(const float* a, int64_t a_row, const float* panel, int64_t depth, float* m, int64_t m_row) {
  using V = typename Vector<lanes>::type;
  V sum[rows][wide];
#pragma GCC unroll 12
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 2
    for (int w = 0; w < wide; ++w) {
      if (more)
        get(sum[r][w], m + r * m_row + w * lanes);
      else
        sum[r][w] = V{};
    }
  for (int64_t k = 0; k < depth; ++k) {
    V column[wide];
#pragma GCC unroll 2
    for (int w = 0; w < wide; ++w) get(column[w], panel + (k * wide + w) * lanes);
#pragma GCC unroll 12
    for (int r = 0; r < rows; ++r) {
      const float one = a[r * a_row + k];
#pragma GCC unroll 2
      for (int w = 0; w < wide; ++w) sum[r][w] += one * column[w];
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 2
    for (int w = 0; w < wide; ++w) put(m + r * m_row + w * lanes, sum[r][w]);
}

/// Calls f(first, std::integral_constant<int, rows>) with a compile-time number of rows until `count` rows are done.
template <int lanes, class F>
GT_INLINE void by_rows(int64_t count, const F& f) {
  constexpr int kRows = kPanelRows<lanes>;
  int64_t row = 0;
  for (; row + kRows <= count; row += kRows) f(row, std::integral_constant<int, kRows>());
  for (; row + 4 <= count; row += 4) f(row, std::integral_constant<int, 4>());
  for (; row < count; ++row) f(row, std::integral_constant<int, 1>());
}

/// Returns the number of floats in this processor's widest register with multiply-add.
inline int widest_lanes() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return 16;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 8;
#endif
  return 4;
}

}  // namespace geometry_transfer
