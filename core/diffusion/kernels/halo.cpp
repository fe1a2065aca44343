// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/kernels/halo.h"

#include <ATen/Parallel.h>

#include <cstring>

#include "diffusion/kernels/vector_math.h"

namespace geometry_transfer {
namespace {

constexpr auto kNhwc = at::MemoryFormat::ChannelsLast;

}  // namespace

at::Tensor cut_halo(const at::Tensor& image, int64_t row, int64_t top, int64_t left, int64_t height, int64_t width) {
  const at::Tensor x = image.contiguous(kNhwc);
  const int64_t channels = x.size(1), pixel = channels * x.element_size();
  at::Tensor halo = at::empty({1, channels, 1, 2 * height + 2 * width + 4}, x.options(), kNhwc);
  const char* from = data<char>(x) + row * x.size(2) * x.size(3) * pixel;
  char* to = data<char>(halo);
  const auto append = [&](int64_t y, int64_t column) {
    if (y >= 0 && y < x.size(2) && column >= 0 && column < x.size(3))
      std::memcpy(to, from + (y * x.size(3) + column) * pixel, pixel);
    else
      std::memset(to, 0, pixel);
    to += pixel;
  };
  for (const int64_t y : {top - 1, top + height})
    for (int64_t column = left - 1; column <= left + width; ++column) append(y, column);
  for (const int64_t column : {left - 1, left + width})
    for (int64_t y = top; y < top + height; ++y) append(y, column);
  return halo;
}

at::Tensor pad_with_halo(const at::Tensor& image, const at::Tensor& around) {
  const at::Tensor x = image.contiguous(kNhwc), halo = around.contiguous(kNhwc);
  const int64_t channels = x.size(1), height = x.size(2), width = x.size(3), pixel = channels * x.element_size();
  TORCH_CHECK(halo.size(1) == channels && halo.size(3) == 2 * (height + width + 2) && halo.scalar_type() == x.scalar_type());
  at::Tensor padded = at::empty({x.size(0), channels, height + 2, width + 2}, x.options(), kNhwc);
  const int64_t line = (width + 2) * pixel;
  const char *inside = data<char>(x), *above = data<char>(halo), *left = above + 2 * line, *right = left + height * pixel;
  at::parallel_for(0, x.size(0) * (height + 2), std::max<int64_t>(1, (1 << 15) / line), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t picture = i / (height + 2), y = i % (height + 2) - 1;
      char* to = data<char>(padded) + i * line;
      if (y < 0 || y == height) {
        std::memcpy(to, y < 0 ? above : above + line, line);
        continue;
      }
      std::memcpy(to, left + y * pixel, pixel);
      std::memcpy(to + pixel, inside + (picture * height + y) * width * pixel, width * pixel);
      std::memcpy(to + line - pixel, right + y * pixel, pixel);
    }
  });
  return padded;
}

}  // namespace geometry_transfer
