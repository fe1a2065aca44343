// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/kernels/norm.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <vector>

#include "diffusion/kernels/vector_math.h"

namespace geometry_transfer {
namespace {

constexpr int64_t kChunk = 64;  // pixels that are summed in fp32 before they are added in double, to keep the variance exact

/// Adds the sums and squared sums of each channel over `pixels` rows of `channels`.
template <class T>
GT_INLINE void channel_sums_body(const T* x, int64_t pixels, int64_t channels, float* __restrict partial, double* __restrict sum,
                                 double* __restrict square) {
  for (int64_t first = 0; first < pixels; first += kChunk) {
    const int64_t last = std::min(pixels, first + kChunk);
    float *s = partial, *q = partial + channels;
    for (int64_t c = 0; c < 2 * channels; ++c) partial[c] = 0;
    for (int64_t p = first; p < last; ++p) {
      const T* row = x + p * channels;
      float room[kStretch];
      for (int64_t from = 0; from < channels; from += kStretch) {
        const int64_t count = std::min(kStretch, channels - from);
        const float* v = loaded(row + from, count, room);
        for (int64_t c = 0; c < count; ++c) {
          s[from + c] += v[c];
          q[from + c] += v[c] * v[c];
        }
      }
    }
    for (int64_t c = 0; c < channels; ++c) {
      sum[c] += s[c];
      square[c] += q[c];
    }
  }
}
GT_VECTOR_CLONES void channel_sums_of(const float* x, int64_t pixels, int64_t channels, float* __restrict partial,
                                      double* __restrict sum, double* __restrict square) {
  channel_sums_body(x, pixels, channels, partial, sum, square);
}
GT_VECTOR_CLONES void channel_sums_of(const std::uint16_t* x, int64_t pixels, int64_t channels, float* __restrict partial,
                                      double* __restrict sum, double* __restrict square) {
  channel_sums_body(x, pixels, channels, partial, sum, square);
}

template <class T>
GT_INLINE void scale_rows_body(const T* x, T* __restrict y, int64_t pixels, int64_t channels, const float* scale,
                               const float* shift, bool activate) {
  for (int64_t p = 0; p < pixels; ++p) {
    const T* in = x + p * channels;
    T* out = y + p * channels;
    if (activate)
      map_row(
          in, out, channels, [&](int64_t c, float v) __attribute__((always_inline)) { return silu(v * scale[c] + shift[c]); });
    else
      map_row(
          in, out, channels, [&](int64_t c, float v) __attribute__((always_inline)) { return v * scale[c] + shift[c]; });
  }
}
GT_VECTOR_CLONES void scale_rows(const float* x, float* __restrict y, int64_t pixels, int64_t channels, const float* scale,
                                 const float* shift, bool activate) {
  scale_rows_body(x, y, pixels, channels, scale, shift, activate);
}
GT_VECTOR_CLONES void scale_rows(const std::uint16_t* x, std::uint16_t* __restrict y, int64_t pixels, int64_t channels,
                                 const float* scale, const float* shift, bool activate) {
  scale_rows_body(x, y, pixels, channels, scale, shift, activate);
}

template <class T>
GT_INLINE void normalise_token_body(const T* x, T* __restrict y, int64_t channels, const float* weight, const float* bias,
                                    float eps) {
  float room[kStretch], sum = 0, square = 0;
  for (int64_t from = 0; from < channels; from += kStretch) {
    const int64_t count = std::min(kStretch, channels - from);
    const float* v = loaded(x + from, count, room);
    for (int64_t c = 0; c < count; ++c) sum += v[c];
  }
  const float mean = sum / channels;
  for (int64_t from = 0; from < channels; from += kStretch) {
    const int64_t count = std::min(kStretch, channels - from);
    const float* v = loaded(x + from, count, room);
    for (int64_t c = 0; c < count; ++c) square += (v[c] - mean) * (v[c] - mean);
  }
  const float inverse = 1.0f / std::sqrt(square / channels + eps);
  map_row(
      x, y,
      channels, [&](int64_t c, float v) __attribute__((always_inline)) { return (v - mean) * inverse * weight[c] + bias[c]; });
}
GT_VECTOR_CLONES void normalise_tokens(const float* x, float* __restrict y, int64_t tokens, int64_t channels, const float* weight,
                                       const float* bias, float eps) {
  for (int64_t t = 0; t < tokens; ++t) normalise_token_body(x + t * channels, y + t * channels, channels, weight, bias, eps);
}
GT_VECTOR_CLONES void normalise_tokens(const std::uint16_t* x, std::uint16_t* __restrict y, int64_t tokens, int64_t channels,
                                       const float* weight, const float* bias, float eps) {
  for (int64_t t = 0; t < tokens; ++t) normalise_token_body(x + t * channels, y + t * channels, channels, weight, bias, eps);
}

/// Computes scale and shift of every channel of one row from its sums.
void affine_of(const ChannelSums& sums, int64_t groups, const float* weight, const float* bias, double eps, float* scale,
               float* shift) {
  const int64_t channels = static_cast<int64_t>(sums.sum.size()), each = channels / groups;
  for (int64_t g = 0; g < groups; ++g) {
    double s = 0, q = 0;
    for (int64_t c = g * each; c < (g + 1) * each; ++c) {
      s += sums.sum[c];
      q += sums.square[c];
    }
    const double n = static_cast<double>(sums.pixels * each), mean = s / n;
    const double inverse = 1 / std::sqrt(std::max(q / n - mean * mean, 0.0) + eps);
    for (int64_t c = g * each; c < (g + 1) * each; ++c) {
      scale[c] = static_cast<float>(weight[c] * inverse);
      shift[c] = static_cast<float>(bias[c] - mean * inverse * weight[c]);
    }
  }
}

/// Divides a picture's pixels into as many parts as are worth a thread.
struct Parts {
  int64_t pixels, count;
  explicit Parts(int64_t n) : pixels(n), count(std::max<int64_t>(1, std::min<int64_t>(at::get_num_threads(), n / kChunk))) {}
  int64_t begin(int64_t part) const { return pixels * part / count; }
};

void add(ChannelSums& to, const ChannelSums& more) {
  for (size_t c = 0; c < to.sum.size(); ++c) {
    to.sum[c] += more.sum[c];
    to.square[c] += more.square[c];
  }
  to.pixels += more.pixels;
}

template <class T>
ChannelSums sums_of(const T* x, const Parts& parts, int64_t channels) {
  std::vector<ChannelSums> sums(parts.count);
  at::parallel_for(0, parts.count, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> partial(2 * channels);
    for (int64_t part = begin; part < end; ++part) {
      ChannelSums& s = sums[part];
      s.sum.assign(channels, 0);
      s.square.assign(channels, 0);
      s.pixels = parts.begin(part + 1) - parts.begin(part);
      channel_sums_of(x + parts.begin(part) * channels, s.pixels, channels, partial.data(), s.sum.data(), s.square.data());
    }
  });
  for (int64_t part = 1; part < parts.count; ++part) add(sums[0], sums[part]);
  return std::move(sums[0]);
}

}  // namespace

std::vector<ChannelSums> channel_sums(const at::Tensor& image) {
  const at::Tensor x = image.contiguous(at::MemoryFormat::ChannelsLast);
  const int64_t channels = x.size(1);
  const Parts parts(x.size(2) * x.size(3));
  std::vector<ChannelSums> sums;
  with_type(x, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    for (int64_t b = 0; b < x.size(0); ++b) sums.push_back(sums_of(data<T>(x) + b * parts.pixels * channels, parts, channels));
  });
  return sums;
}

at::Tensor group_norm(const at::Tensor& image, int64_t groups, const at::Tensor& weight, const at::Tensor& bias, double eps,
                      bool silu, const ChannelSums* beyond, std::vector<ChannelSums>* found) {
  const at::Tensor x = image.contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor y = at::empty_like(x);
  const int64_t channels = x.size(1);
  const Parts parts(x.size(2) * x.size(3));
  with_type(x, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    for (int64_t b = 0; b < x.size(0); ++b) {
      const T* in = data<T>(x) + b * parts.pixels * channels;
      T* out = data<T>(y) + b * parts.pixels * channels;
      ChannelSums sums = sums_of(in, parts, channels);
      if (found) found->push_back(sums);
      if (beyond) add(sums, *beyond);
      std::vector<float> scale(channels), shift(channels);
      affine_of(sums, groups, data<float>(weight), data<float>(bias), eps, scale.data(), shift.data());
      at::parallel_for(0, parts.count, 1, [&](int64_t begin, int64_t end) {
        const int64_t first = parts.begin(begin), last = parts.begin(end);
        scale_rows(in + first * channels, out + first * channels, last - first, channels, scale.data(), shift.data(), silu);
      });
    }
  });
  return y;
}

at::Tensor layer_norm(const at::Tensor& tokens, const at::Tensor& weight, const at::Tensor& bias, double eps) {
  const at::Tensor x = tokens.contiguous();
  at::Tensor y = at::empty_like(x);
  const int64_t channels = x.size(-1), count = x.numel() / channels;
  with_type(x, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    at::parallel_for(0, count, 64, [&](int64_t begin, int64_t end) {
      normalise_tokens(data<T>(x) + begin * channels, data<T>(y) + begin * channels, end - begin, channels, data<float>(weight),
                       data<float>(bias), static_cast<float>(eps));
    });
  });
  return y;
}

}  // namespace geometry_transfer
