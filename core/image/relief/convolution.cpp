// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/relief/convolution.h"

#include <algorithm>
#include <cstring>
#include <opencv2/core/utility.hpp>

// One source, compiled for each level of x86-64; the loader picks. Fused multiply-adds come with v3 (AVX2) and v4 (AVX-512).
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define GT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define GT_CLONES
#endif

namespace geometry_transfer::relief {
namespace {

/// Pixels of a row and channels that one block of the kernel computes: 12 vectors of 16 floats stay in registers.
constexpr int kPixels = 6, kBlock = 2 * kLanes;

typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

struct Job {
  const float* in;        ///< top left of the 3 x 3 window of the row's first pixel
  std::size_t in_stride;  ///< floats from row to row
  int in_channels, side;
  const float* weight;  ///< of one output block
  const float* bias;
  float* out;  ///< the row's first pixel, at the block's first channel
  int out_channels, width;
  int block;  ///< channels of the block: kBlock or kLanes
};

/// One row of one block of output channels.
GT_CLONES void row(const Job& job, int then) {
  for (int x = 0; x < job.width; x += kPixels) {
    Lanes sum[kPixels][2];
    for (int p = 0; p < kPixels; ++p)
      for (int v = 0; v < 2; ++v) sum[p][v] = reinterpret_cast<const Lanes*>(job.bias)[v];
    const float* weight = job.weight;
    for (int ky = 0; ky < job.side; ++ky)
      for (int kx = 0; kx < job.side; ++kx) {
        const float* in = job.in + ky * job.in_stride + std::size_t(x + kx) * job.in_channels;
        for (int i = 0; i < job.in_channels; ++i, weight += kBlock) {
          const Lanes w0 = *reinterpret_cast<const Lanes*>(weight), w1 = *reinterpret_cast<const Lanes*>(weight + kLanes);
          for (int p = 0; p < kPixels; ++p) {
            const float a = in[std::size_t(p) * job.in_channels + i];
            sum[p][0] += a * w0;
            sum[p][1] += a * w1;
          }
        }
      }
    const int pixels = std::min(kPixels, job.width - x), vectors = job.block / kLanes;
    for (int p = 0; p < pixels; ++p)
      for (int v = 0; v < vectors; ++v) {
        Lanes* out = reinterpret_cast<Lanes*>(job.out + std::size_t(x + p) * job.out_channels + v * kLanes);
        Lanes value = sum[p][v];
        if (then == 1) value = value > 0 ? value : value - value;
        if (then == 2) value += *out;
        *out = value;
      }
  }
}

}  // namespace

Activations::Activations(int height, int width, int channels)
    : height_(height), width_(width), channels_(padded(channels)), stride_(std::size_t(width + 2 + kPixels) * channels_) {
  const std::size_t count = stride_ * std::size_t(height + 2) + std::size_t(kPixels) * channels_;
  data_ = std::shared_ptr<float[]>(new float[count]());
}

Convolution::Convolution(const float* weight, const float* bias, int outputs, int inputs, int side, float gain,
                         std::vector<int> input_parts)
    : outputs_(outputs), side_(side) {
  if (input_parts.empty()) input_parts = {inputs};
  for (int part : input_parts) inputs_ += padded(part);
  const int blocks = (outputs + kBlock - 1) / kBlock, taps = side * side;
  packed_.assign(std::size_t(blocks) * taps * inputs_ * kBlock, 0.0f);
  bias_.assign(std::size_t(blocks) * kBlock, 0.0f);
  for (int o = 0; o < outputs; ++o) {
    bias_[o] = gain * bias[o];
    int input = 0, place = 0;
    for (int part : input_parts) {
      for (int i = 0; i < part; ++i, ++input)
        for (int t = 0; t < taps; ++t)
          packed_[((std::size_t(o / kBlock) * taps + t) * inputs_ + place + i) * kBlock + o % kBlock] =
              gain * weight[(std::size_t(o) * inputs + input) * taps + t];
      place += padded(part);
    }
  }
}

void Convolution::operator()(const Activations& in, Activations& out, Then then) const {
  const int channels = padded(outputs_), blocks = (channels + kBlock - 1) / kBlock, border = side_ / 2;
  const std::size_t block_size = std::size_t(side_) * side_ * inputs_ * kBlock;
  cv::parallel_for_(cv::Range(0, in.height()), [&](const cv::Range& rows) {
    for (int b = 0; b < blocks; ++b)
      for (int y = rows.start; y < rows.end; ++y)
        row({in.at(y - border, -border), in.stride(), in.channels(), side_, packed_.data() + b * block_size,
             bias_.data() + std::size_t(b) * kBlock, out.at(y, 0) + b * kBlock, out.channels(), in.width(),
             std::min(kBlock, channels - b * kBlock)},
            then == Then::relu  ? 1
            : then == Then::add ? 2
                                : 0);
  });
}

}  // namespace geometry_transfer::relief
