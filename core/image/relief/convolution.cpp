// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/relief/convolution.h"

#include <algorithm>
#include <cstring>
#include <opencv2/core/utility.hpp>

namespace geometry_transfer::relief {
namespace {

/// Pixels of a row and channels that one block of the kernel computes: 12 sums of 16 floats, which avx512 keeps in
/// registers.
constexpr int kPixels = 6, kBlock = 2 * kLanes;

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

#define ROW_NAME row_in_baseline
#define ROW_LANES 4
#define ROW_TARGET
#include "image/relief/row_kernel.h"
#undef ROW_NAME
#undef ROW_LANES
#undef ROW_TARGET

#if defined(__x86_64__) && defined(__GNUC__)
#define ROW_NAME row_in_avx2
#define ROW_LANES 8
#define ROW_TARGET __attribute__((target("avx2,fma")))
#include "image/relief/row_kernel.h"
#undef ROW_NAME
#undef ROW_LANES
#undef ROW_TARGET

#define ROW_NAME row_in_avx512
#define ROW_LANES 16
#define ROW_TARGET __attribute__((target("avx512f,avx2,fma")))
#include "image/relief/row_kernel.h"
#undef ROW_NAME
#undef ROW_LANES
#undef ROW_TARGET
#endif

using Row = void (*)(const Job& job, Convolution::Epilogue epilogue);

Row row_for(Instructions instructions) {
#if defined(__x86_64__) && defined(__GNUC__)
  if (instructions == Instructions::avx512) return row_in_avx512;
  if (instructions == Instructions::avx2) return row_in_avx2;
#endif
  (void)instructions;
  return row_in_baseline;
}

}  // namespace

Instructions best_instructions() {
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx512f")) return Instructions::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Instructions::avx2;
#endif
  return Instructions::baseline;
}

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

void Convolution::operator()(const Activations& in, Activations& out, Epilogue epilogue, Instructions instructions) const {
  const int channels = padded(outputs_), blocks = (channels + kBlock - 1) / kBlock, border = side_ / 2;
  const Row row = row_for(instructions);
  const std::size_t block_size = std::size_t(side_) * side_ * inputs_ * kBlock;
  cv::parallel_for_(cv::Range(0, in.height()), [&](const cv::Range& rows) {
    for (int b = 0; b < blocks; ++b)
      for (int y = rows.start; y < rows.end; ++y)
        row({in.at(y - border, -border), in.stride(), in.channels(), side_, packed_.data() + b * block_size,
             bias_.data() + std::size_t(b) * kBlock, out.at(y, 0) + b * kBlock, out.channels(), in.width(),
             std::min(kBlock, channels - b * kBlock)},
            epilogue);
  });
}

}  // namespace geometry_transfer::relief
