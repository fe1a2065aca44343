// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/kernels/winograd.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include "diffusion/kernels/panel.h"
#include "diffusion/kernels/winograd_size.h"
#include "runtime/processor.h"

namespace geometry_transfer {
namespace {

constexpr int64_t kTile = 4, kReach = 6, kElements = kReach * kReach;
constexpr int64_t kFewestTiles = 32;        // of an image
constexpr int64_t kBlockBytes = 768 << 10;  // of one block's transformed input and output: about a core's second-level cache

/// The call's data that a block of tiles needs. T: float, or std::uint16_t for bf16.
template <class T>
struct Call {
  const T *x, *add, *zeros;  // zeros (in) are read outside the image
  const float *weights, *bias;
  T* y;
  int64_t in, out, height, width, tiles_across, tiles_down;  // sides of the result
  int64_t halo;                                              // pixels of surroundings around x: 0 or 1
};

/// y = B^T x, six to six.
template <class V>
GT_INLINE void to_frequency(V* y, const V& x0, const V& x1, const V& x2, const V& x3, const V& x4, const V& x5) {
  const V even = x4 - 4 * x2, odd = x3 - 4 * x1, far = x4 - x2, near = 2 * (x3 - x1);
  y[0] = 4 * x0 - 5 * x2 + x4;
  y[1] = even + odd;
  y[2] = even - odd;
  y[3] = far + near;
  y[4] = far - near;
  y[5] = 4 * x1 - 5 * x3 + x5;
}

/// y = A^T m, six to four.
template <class V>
GT_INLINE void from_frequency(V* y, const V& m0, const V& m1, const V& m2, const V& m3, const V& m4, const V& m5) {
  const V a = m1 + m2, b = m1 - m2, c = m3 + m4, d = m3 - m4;
  y[0] = m0 + a + c;
  y[1] = b + 2 * d;
  y[2] = a + 4 * c;
  y[3] = b + 8 * d + m5;
}

/// Transforms tiles [first, last) to v (36, room, in).
template <int lanes, class T>
GT_INLINE void transform_input(const Call<T>& c, int64_t first, int64_t last, int64_t room, float* v) {
  using V = typename Vector<lanes>::type;
  const int64_t tall = c.height + 2 * c.halo, wide = c.width + 2 * c.halo;
  for (int64_t tile = first; tile < last; ++tile) {
    const int64_t image = tile / (c.tiles_across * c.tiles_down), place = tile % (c.tiles_across * c.tiles_down);
    const int64_t top = place / c.tiles_across * kTile - 1 + c.halo, left = place % c.tiles_across * kTile - 1 + c.halo;
    const T* from[kReach][kReach];
    for (int64_t i = 0; i < kReach; ++i)
      for (int64_t j = 0; j < kReach; ++j) {
        const int64_t row = top + i, column = left + j;
        const bool inside = row >= 0 && row < tall && column >= 0 && column < wide;
        from[i][j] = inside ? c.x + ((image * tall + row) * wide + column) * c.in : c.zeros;
      }
    float* to = v + (tile - first) * c.in;
    for (int64_t channel = 0; channel < c.in; channel += lanes) {
      V half[kReach][kReach];  // [column][row of B^T x]
      for (int64_t j = 0; j < kReach; ++j) {
        V x[kReach];
        for (int64_t i = 0; i < kReach; ++i) get(x[i], from[i][j] + channel);
        to_frequency(half[j], x[0], x[1], x[2], x[3], x[4], x[5]);
      }
      for (int64_t i = 0; i < kReach; ++i) {
        V y[kReach];
        to_frequency(y, half[0][i], half[1][i], half[2][i], half[3][i], half[4][i], half[5][i]);
        for (int64_t j = 0; j < kReach; ++j) put(to + (i * kReach + j) * room * c.in + channel, y[j]);
      }
    }
  }
}

/// m (36, room, out) <- v (36, room, in) times the weights, element by element.
template <int lanes, class T>
GT_INLINE void multiply(const Call<T>& c, int64_t count, int64_t room, const float* v, float* m) {
  for (int64_t e = 0; e < kElements; ++e)
    for (int64_t o = 0; o < c.out; o += 2 * lanes) {
      const float* panel = c.weights + (e * c.out + o) * c.in;
      const float* from = v + e * room * c.in;
      float* to = m + e * room * c.out + o;
      by_rows<lanes>(
          count, [&](int64_t row, auto size) __attribute__((always_inline)) {
            panel_product<lanes, decltype(size)::value, 2, false>(from + row * c.in, c.in, panel, c.in, to + row * c.out, c.out);
          });
    }
}

/// Transforms m (36, room, out) to tiles [first, last) of y.
template <int lanes, class T>
GT_INLINE void transform_output(const Call<T>& c, int64_t first, int64_t last, int64_t room, const float* m) {
  using V = typename Vector<lanes>::type;
  for (int64_t tile = first; tile < last; ++tile) {
    const int64_t image = tile / (c.tiles_across * c.tiles_down), place = tile % (c.tiles_across * c.tiles_down);
    const int64_t top = place / c.tiles_across * kTile, left = place % c.tiles_across * kTile;
    const int64_t down = std::min(kTile, c.height - top), across = std::min(kTile, c.width - left);
    const float* from = m + (tile - first) * c.out;
    const int64_t origin = ((image * c.height + top) * c.width + left) * c.out;
    for (int64_t channel = 0; channel < c.out; channel += lanes) {
      V half[kReach][kTile];  // [column][row of A^T m]
      for (int64_t j = 0; j < kReach; ++j) {
        V x[kReach];
        for (int64_t i = 0; i < kReach; ++i) get(x[i], from + (i * kReach + j) * room * c.out + channel);
        from_frequency(half[j], x[0], x[1], x[2], x[3], x[4], x[5]);
      }
      V bias;
      get(bias, c.bias + channel);
      for (int64_t i = 0; i < down; ++i) {
        V y[kTile];
        from_frequency(y, half[0][i], half[1][i], half[2][i], half[3][i], half[4][i], half[5][i]);
        for (int64_t j = 0; j < across; ++j) {
          const int64_t at = origin + (i * c.width + j) * c.out + channel;
          V sum = y[j] + bias;
          if (c.add) {
            V added;
            get(added, c.add + at);
            sum += added;
          }
          put(c.y + at, sum);
        }
      }
    }
  }
}

template <int lanes, class T>
GT_INLINE void block_body(const Call<T>& c, int64_t first, int64_t last, int64_t room, float* v, float* m) {
  transform_input<lanes>(c, first, last, room, v);
  multiply<lanes>(c, last - first, room, v, m);
  transform_output<lanes>(c, first, last, room, m);
}

#if defined(__x86_64__)
template <class T>
__attribute__((target("avx512f,avx2,fma"))) void block_16(const Call<T>& c, int64_t first, int64_t last, int64_t room, float* v,
                                                          float* m) {
  block_body<16>(c, first, last, room, v, m);
}
__attribute__((target("avx2,fma"))) void block_8(const Call<float>& c, int64_t first, int64_t last, int64_t room, float* v,
                                                 float* m) {
  block_body<8>(c, first, last, room, v, m);
}
#endif
void block_4(const Call<float>& c, int64_t first, int64_t last, int64_t room, float* v, float* m) {
  block_body<4>(c, first, last, room, v, m);
}

/// The functions for registers of `lanes` floats.
template <class T>
auto block_of(int lanes) {
  void (*block)(const Call<T>&, int64_t, int64_t, int64_t, float*, float*) = nullptr;
#if defined(__x86_64__)
  if (lanes == 16) block = block_16<T>;
#endif
  if constexpr (std::is_same_v<T, float>) {
#if defined(__x86_64__)
    if (lanes == 8) block = block_8;
#endif
    if (lanes == 4) block = block_4;
  }
  return block;
}

/// Computes G g G^T for the filters of one panel: from (panel, in, 3, 3) to (36, in, panel), elements `stride` floats
/// apart.
GT_VECTOR_CLONES void transform_weights(const float* from, int64_t in, int64_t panel, int64_t stride, float* to) {
  constexpr int64_t kWidest = 32;
  float g[9][kWidest], half[kReach][3][kWidest];
  const auto spread = [panel](const float* a, const float* b, const float* c, float* const* out) {
    for (int64_t p = 0; p < panel; ++p) {
      const float outer = (a[p] + c[p]) / 6, near = b[p] / 6, wide = a[p] / 24 + c[p] / 6, far = b[p] / 12;
      out[0][p] = a[p] / 4;
      out[1][p] = -outer - near;
      out[2][p] = near - outer;
      out[3][p] = wide + far;
      out[4][p] = wide - far;
      out[5][p] = c[p];
    }
  };
  for (int64_t i = 0; i < in; ++i) {
    for (int64_t p = 0; p < panel; ++p)
      for (int64_t t = 0; t < 9; ++t) g[t][p] = from[(p * in + i) * 9 + t];
    for (int64_t column = 0; column < 3; ++column) {
      float* rows[kReach];
      for (int64_t r = 0; r < kReach; ++r) rows[r] = half[r][column];
      spread(g[column], g[3 + column], g[6 + column], rows);
    }
    for (int64_t row = 0; row < kReach; ++row) {
      float* places[kReach];
      for (int64_t c = 0; c < kReach; ++c) places[c] = to + (row * kReach + c) * stride + i * panel;
      spread(half[row][0], half[row][1], half[row][2], places);
    }
  }
}

/// Returns the widest register, at most `most` floats, that both numbers of channels fill.
int best_lanes(int64_t in, int64_t out, int most) { return most == 16 && (in % 16 || out % 32) ? 8 : most; }

/// The tiles of one call, divided into blocks.
template <class T>
void convolve(Call<T> call, int64_t images, int lanes) {
  // Gives each thread the same number of blocks, of a size that fits the cache. Large layers want more rows for each
  // read of their weights.
  const int64_t tiles = images * call.tiles_down * call.tiles_across, threads = at::get_num_threads(), both = call.in + call.out;
  const int64_t fitting = std::max<int64_t>(2 * kMostPanelRows, kBlockBytes / (kElements * both * 4));
  const int64_t rounds = std::max<int64_t>(1, (tiles + threads * fitting - 1) / (threads * fitting));
  const int64_t each = (tiles + rounds * threads - 1) / (rounds * threads), blocks = (tiles + each - 1) / each;
  const std::vector<T> zeros(call.in);
  call.zeros = zeros.data();
  const at::Tensor room = at::empty({threads, kElements * each * both}, at::kFloat);
  const auto block = block_of<T>(lanes);
  at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
    float* v = data<float>(room) + at::get_thread_num() * room.size(1);
    for (int64_t b = begin; b < end; ++b)
      block(call, b * each, std::min(tiles, (b + 1) * each), each, v, v + kElements * each * call.in);
  });
}

}  // namespace

bool WinogradConv2d::takes(const at::Tensor& w) {
  if (!w.device().is_cpu() || w.dim() != 4 || w.size(2) != 3 || w.size(3) != 3 || winograd_bytes(w.size(0), w.size(1)) == 0)
    return false;
  if (w.scalar_type() == at::kFloat) return true;
  return w.scalar_type() == at::kBFloat16 && winograd_for_bf16() && best_lanes(w.size(1), w.size(0), 16) == 16;
}

struct WinogradConv2d::Impl {
  int64_t in, out;
  int lanes;           ///< floats of a vector register
  at::Tensor plain;    ///< kept until the first call
  at::Tensor weights;  ///< (36, out / panel, in, panel), panel = 2 lanes

  const float* transformed() {
    if (plain.defined()) {
      const int64_t panel = 2 * lanes;
      weights = at::empty({kElements, out / panel, in, panel}, at::kFloat);
      const at::Tensor wide = plain.to(at::kFloat);
      const float* from = data<float>(wide);
      float* to = data<float>(weights);
      at::parallel_for(0, out / panel, 1, [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; ++p)
          transform_weights(from + p * panel * in * 9, in, panel, out * in, to + p * panel * in);
      });
      plain = at::Tensor();
    }
    return data<float>(weights);
  }
};

WinogradConv2d::WinogradConv2d(const at::Tensor& weight, int lanes)
    : impl_(new Impl{weight.size(1),
                     weight.size(0),
                     best_lanes(weight.size(1), weight.size(0), lanes ? lanes : widest_lanes()),
                     weight.contiguous(),
                     {}}) {}

bool WinogradConv2d::pays(int64_t height, int64_t width) {
  return ((height + kTile - 1) / kTile) * ((width + kTile - 1) / kTile) >= kFewestTiles;
}

at::Tensor WinogradConv2d::operator()(const at::Tensor& image, const at::Tensor& add, const at::Tensor& bias,
                                      bool has_halo) const {
  const int64_t in = impl_->in, out = impl_->out, halo = has_halo ? 1 : 0;
  const at::Tensor x = image.contiguous(at::MemoryFormat::ChannelsLast),
                   added = add.defined() ? add.contiguous(at::MemoryFormat::ChannelsLast) : add;
  const int64_t height = x.size(2) - 2 * halo, width = x.size(3) - 2 * halo;
  at::Tensor y = at::empty({x.size(0), out, height, width}, x.options(), at::MemoryFormat::ChannelsLast);
  const int64_t down = (height + kTile - 1) / kTile, across = (width + kTile - 1) / kTile;
  with_type(x, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    convolve<T>({data<T>(x), added.defined() ? data<T>(added) : nullptr, nullptr, impl_->transformed(), data<float>(bias),
                 data<T>(y), in, out, height, width, across, down, halo},
                x.size(0), impl_->lanes);
  });
  return y;
}

}  // namespace geometry_transfer
