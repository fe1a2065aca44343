// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/kernels/elementwise.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "diffusion/kernels/vector_math.h"

namespace geometry_transfer {
namespace {

template <class T>
GT_INLINE void geglu_rows_body(const T* x, T* __restrict y, int64_t rows, int64_t channels) {
  for (int64_t r = 0; r < rows; ++r) {
    const T *value = x + r * 2 * channels, *gate = value + channels;
    T* out = y + r * channels;
    float room[kStretch];
    for (int64_t first = 0; first < channels; first += kStretch) {
      const int64_t count = std::min(kStretch, channels - first);
      const float* factor = loaded(value + first, count, room);
      map_row(
          gate + first, out + first,
          count, [&](int64_t c, float v) __attribute__((always_inline)) { return factor[c] * gelu(v); });
    }
  }
}
GT_VECTOR_CLONES void geglu_rows(const float* x, float* __restrict y, int64_t rows, int64_t channels) {
  geglu_rows_body(x, y, rows, channels);
}
GT_VECTOR_CLONES void geglu_rows(const std::uint16_t* x, std::uint16_t* __restrict y, int64_t rows, int64_t channels) {
  geglu_rows_body(x, y, rows, channels);
}

}  // namespace

at::Tensor geglu(const at::Tensor& input) {
  if (!has_kernel(input)) {
    const std::vector<at::Tensor> halves = input.chunk(2, -1);
    return at::gelu(halves[1]) * halves[0];
  }
  const at::Tensor x = input.contiguous();
  std::vector<int64_t> shape = x.sizes().vec();
  const int64_t channels = shape.back() /= 2, rows = x.numel() / (2 * channels);
  at::Tensor y = at::empty(shape, x.options());
  with_type(x, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    at::parallel_for(0, rows, 32, [&](int64_t begin, int64_t end) {
      geglu_rows(data<T>(x) + begin * 2 * channels, data<T>(y) + begin * channels, end - begin, channels);
    });
  });
  return y;
}

at::Tensor concat_channels(const at::Tensor& first, const at::Tensor& second) {
  if (!has_kernel(first)) return at::cat({first, second}, 1);
  const at::Tensor a = first.contiguous(at::MemoryFormat::ChannelsLast), b = second.contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor y = at::empty({a.size(0), a.size(1) + b.size(1), a.size(2), a.size(3)}, a.options(), at::MemoryFormat::ChannelsLast);
  const int64_t item = a.element_size(), na = a.size(1) * item, nb = b.size(1) * item, pixels = a.size(0) * a.size(2) * a.size(3);
  const char *pa = data<char>(a), *pb = data<char>(b);
  char* py = data<char>(y);
  at::parallel_for(0, pixels, 256, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      std::memcpy(py + p * (na + nb), pa + p * na, na);
      std::memcpy(py + p * (na + nb) + na, pb + p * nb, nb);
    }
  });
  return y;
}

}  // namespace geometry_transfer
