// SPDX-License-Identifier: GPL-3.0-or-later
/// Convolutions for the relief network: fp32, channels last. They need OpenCV's threads only.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace geometry_transfer::relief {

/// Channels are padded to a multiple of this; the padding is 0.
constexpr int kLanes = 16;
inline int padded(int channels) { return (channels + kLanes - 1) / kLanes * kLanes; }

/// Activations: height x width pixels of `channels` floats. A border of one pixel of zeros on each side is the padding
/// of 3 x 3 convolutions. Rows have spare room on the right, because convolutions read whole blocks.
class Activations {
 public:
  Activations() = default;
  Activations(int height, int width, int channels);
  int height() const { return height_; }
  int width() const { return width_; }
  int channels() const { return channels_; }  ///< padded
  /// Pixel (y, x); -1 and height() or width() are the border.
  float* at(int y, int x) { return data_.get() + offset(y, x); }
  const float* at(int y, int x) const { return data_.get() + offset(y, x); }
  /// Floats from one row to the next.
  std::size_t stride() const { return stride_; }

 private:
  std::size_t offset(int y, int x) const { return std::size_t(y + 1) * stride_ + std::size_t(x + 1) * channels_; }
  int height_ = 0, width_ = 0, channels_ = 0;
  std::size_t stride_ = 0;
  std::shared_ptr<float[]> data_;
};

/// Vector instructions of the processor. Those with fused multiply-adds (avx2, avx512) give the same bits.
enum class Instructions { baseline, avx2, avx512 };
/// Returns the fastest ones that this processor has.
Instructions best_instructions();

/// A convolution of 1 x 1, or of 3 x 3 with zero padding 1. Weights are packed once for the kernel.
class Convolution {
 public:
  Convolution() = default;
  /// weight: outputs x inputs x side x side, PyTorch's order. `gain` multiplies weight and bias. input_parts: channels
  /// of the tensors whose concatenation is the input, each padded on its own; they add up to `inputs`.
  Convolution(const float* weight, const float* bias, int outputs, int inputs, int side, float gain = 1,
              std::vector<int> input_parts = {});
  int outputs() const { return outputs_; }

  enum class Epilogue { none, relu, add };  ///< add: to what `out` holds
  /// Computes out = f(convolution of `in`); `epilogue` chooses f. `out` has in's size and padded(outputs()) channels.
  /// Runs on OpenCV's threads; the result does not depend on their number.
  void operator()(const Activations& in, Activations& out, Epilogue epilogue = Epilogue::none,
                  Instructions instructions = best_instructions()) const;

 private:
  int outputs_ = 0, inputs_ = 0, side_ = 0;  ///< inputs padded
  std::vector<float> packed_, bias_;         ///< [output block][ky][kx][input][kLanes * 2]
};

}  // namespace geometry_transfer::relief
