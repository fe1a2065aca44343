// SPDX-License-Identifier: GPL-3.0-or-later
/// The relief network (core/models/relief): a small U-Net without libtorch. Its weights are embedded in this library.
#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "image/relief/convolution.h"

namespace geometry_transfer::relief {

/// Input planes: reference R'G'B' - 0.5, mask, tone R'G'B' - 0.5, reference - tone, log((mean of the
/// reference + 0.03) / (mean of the tone + 0.03)). Means are over the three channels.
constexpr int kInputs = 11;
/// Output planes, not limited yet: shade, light, own material.
constexpr int kOutputs = 3;

/// The network. The keys in the weights file say which modules it has.
class Network {
 public:
  /// Reads a safetensors file in memory (fp16 or fp32). Throws std::runtime_error that names a missing key: a fault of
  /// the build.
  Network(const unsigned char* bytes, std::size_t size);
  /// Returns the network with the weights that ship.
  static const Network& shipped();

  /// Runs the network. `planes`: CV_32FC(kInputs), at least 8 pixels a side. Returns CV_32FC(kOutputs) of the same
  /// size. It takes about 45,000 multiplications per pixel, counted from the layers' shapes.
  cv::Mat operator()(const cv::Mat& planes) const;

 private:
  struct Block {
    Convolution conv1, conv2, skip;
    bool has_skip = false;
    int inputs = 0, outputs = 0;
  };
  /// The result may share memory with `x`.
  static Activations run(const Block& block, Activations x);

  Convolution conv_in_, to_full_, full_, conv_out_;
  std::vector<Block> down_, middle_, up_;
};

}  // namespace geometry_transfer::relief
