// SPDX-License-Identifier: GPL-3.0-or-later
/// The relief network (core/models/relief): a small U-Net without libtorch, its weights inside this library.
#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "image/relief/convolution.h"

namespace geometry_transfer::relief {

/// Planes that go in: source R'G'B' - 0.5, mask, tone R'G'B' - 0.5, source - tone, log((luma of source + 0.03) / (luma of tone +
/// 0.03)). Luma is the mean of the channels here.
constexpr int kInputs = 11;
/// Planes that come out, before their limits: shade, light, own.
constexpr int kOutputs = 3;

/// The network. Its modules are found by their keys in the weights file.
class Network {
 public:
  /// Reads a safetensors file in memory (fp16 or fp32). Throws std::runtime_error that names a missing key: a fault of the build.
  Network(const unsigned char* bytes, std::size_t size);
  /// The weights that ship.
  static const Network& shipped();

  /// planes: CV_32FC(kInputs), any size of 8 pixels or more a side -> CV_32FC(kOutputs) of the same size. About 45,000
  /// multiplications a pixel.
  cv::Mat operator()(const cv::Mat& planes) const;

 private:
  struct Block {
    Convolution conv1, conv2, skip;
    bool has_skip = false;
    int inputs = 0, outputs = 0;
  };
  /// x may share memory with the result.
  static Activations run(const Block& block, Activations x);

  Convolution conv_in_, to_full_, full_, conv_out_;
  std::vector<Block> down_, middle_, up_;
};

}  // namespace geometry_transfer::relief
