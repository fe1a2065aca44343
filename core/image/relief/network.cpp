// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/relief/network.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "relief_weights.h"  // made by the build
#include "weights/half.h"

// Embeds the weights in the library, so that no file can be missing.
__asm__(
    ".section .rodata\n.balign 64\n.hidden geometry_transfer_relief_weights\n.global geometry_transfer_relief_weights\n"
    "geometry_transfer_relief_weights:\n.incbin \"" GT_RELIEF_WEIGHTS
    "\"\n.hidden geometry_transfer_relief_weights_end\n.global geometry_transfer_relief_weights_end\n"
    "geometry_transfer_relief_weights_end:\n.byte 0\n.previous\n");
extern "C" const unsigned char geometry_transfer_relief_weights[], geometry_transfer_relief_weights_end[];

namespace geometry_transfer::relief {
namespace {

/// Tensors of a safetensors file that lies in memory, as fp32.
class Tensors {
 public:
  Tensors(const unsigned char* bytes, std::size_t size) {
    std::uint64_t length = 0;
    if (size < 8) throw std::runtime_error("relief weights: no header");
    std::memcpy(&length, bytes, 8);
    if (length > size - 8) throw std::runtime_error("relief weights: the header is cut off");
    header_ = nlohmann::json::parse(bytes + 8, bytes + 8 + length);
    data_ = reinterpret_cast<const std::byte*>(bytes + 8 + length);
  }
  bool has(const std::string& key) const { return header_.contains(key); }
  std::vector<int> shape(const std::string& key) const { return entry(key).at("shape").get<std::vector<int>>(); }
  std::vector<float> values(const std::string& key) const {
    const nlohmann::json& e = entry(key);
    std::size_t count = 1;
    for (int side : shape(key)) count *= std::size_t(side);
    TensorView view{};
    view.data = data_ + e.at("data_offsets")[0].get<std::size_t>();
    view.dtype = e.at("dtype") == "F32" ? DType::f32 : DType::f16;
    std::vector<float> out(count);
    for (std::size_t i = 0; i < count; ++i) out[i] = number_at(view, i);
    return out;
  }
  Convolution convolution(const std::string& key, float gain = 1, std::vector<int> parts = {}) const {
    const std::vector<int> s = shape(key + ".weight");
    return Convolution(values(key + ".weight").data(), values(key + ".bias").data(), s[0], s[1], s[2], gain, std::move(parts));
  }

 private:
  const nlohmann::json& entry(const std::string& key) const {
    if (!has(key)) throw std::runtime_error("relief weights: " + key + " is missing");
    return header_.at(key);
  }
  nlohmann::json header_;
  const std::byte* data_;
};

/// Calls f(y) for all rows, on OpenCV's threads.
template <class Row>
void for_rows(int height, const Row& f) {
  cv::parallel_for_(cv::Range(0, height), [&](const cv::Range& r) {
    for (int y = r.start; y < r.end; ++y) f(y);
  });
}

Activations rectified(const Activations& x) {
  Activations out(x.height(), x.width(), x.channels());
  for_rows(x.height(), [&](int y) {
    const float* in = x.at(y, 0);
    float* o = out.at(y, 0);
    for (int i = 0, n = x.width() * x.channels(); i < n; ++i) o[i] = std::max(in[i], 0.0f);
  });
  return out;
}

Activations halved(const Activations& x) {
  Activations out(x.height() / 2, x.width() / 2, x.channels());
  const int c = x.channels();
  for_rows(out.height(), [&](int y) {
    for (int j = 0; j < out.width(); ++j) {
      const float *a = x.at(2 * y, 2 * j), *b = x.at(2 * y + 1, 2 * j);
      float* o = out.at(y, j);
      for (int i = 0; i < c; ++i) o[i] = 0.25f * (a[i] + a[i + c] + b[i] + b[i + c]);
    }
  });
  return out;
}

/// Doubles the size of `x` by repeating pixels, and appends the channels of `skip`.
Activations joined(const Activations& x, const Activations& skip) {
  const int c = x.channels(), s = skip.channels();
  Activations out(skip.height(), skip.width(), c + s);
  for_rows(out.height(), [&](int y) {
    for (int j = 0; j < out.width(); ++j) {
      std::memcpy(out.at(y, j), x.at(y / 2, j / 2), sizeof(float) * c);
      std::memcpy(out.at(y, j) + c, skip.at(y, j), sizeof(float) * s);
    }
  });
  return out;
}

/// Adds the mean over all pixels to every pixel.
void add_mean(Activations& x) {
  std::vector<double> sum(x.channels(), 0.0);
  for (int y = 0; y < x.height(); ++y)
    for (int j = 0; j < x.width(); ++j)
      for (int i = 0; i < x.channels(); ++i) sum[i] += x.at(y, j)[i];
  for (int y = 0; y < x.height(); ++y)
    for (int j = 0; j < x.width(); ++j)
      for (int i = 0; i < x.channels(); ++i) x.at(y, j)[i] += float(sum[i] / (double(x.height()) * x.width()));
}

}  // namespace

Network::Network(const unsigned char* bytes, std::size_t size) {
  const Tensors t(bytes, size);
  const auto block = [&](const std::string& key, std::vector<int> parts) {
    Block b;
    const std::vector<int> shape = t.shape(key + ".conv1.weight");
    b.outputs = shape[0], b.inputs = shape[1];
    b.conv1 = t.convolution(key + ".conv1", 1, parts);
    b.conv2 = t.convolution(key + ".conv2", t.values(key + ".gain")[0]);
    b.has_skip = t.has(key + ".skip.weight");
    if (b.has_skip) b.skip = t.convolution(key + ".skip", 1, parts);
    return b;
  };
  conv_in_ = t.convolution("conv_in"), to_full_ = t.convolution("to_full");
  full_ = t.convolution("full"), conv_out_ = t.convolution("conv_out");
  for (int i = 0; t.has("down." + std::to_string(i) + ".gain"); ++i) down_.push_back(block("down." + std::to_string(i), {}));
  for (int i = 0; t.has("middle." + std::to_string(i) + ".gain"); ++i)
    middle_.push_back(block("middle." + std::to_string(i), {}));
  for (int i = 0; i + 1 < int(down_.size()); ++i)
    up_.push_back(block("up." + std::to_string(i), {down_[i + 1].outputs, down_[i].outputs}));
}

const Network& Network::shipped() {
  static const Network network(geometry_transfer_relief_weights,
                               std::size_t(geometry_transfer_relief_weights_end - geometry_transfer_relief_weights));
  return network;
}

Activations Network::run(const Block& block, Activations x) {
  Activations inner(x.height(), x.width(), block.outputs);
  block.conv1(rectified(x), inner, Convolution::Epilogue::relu);
  if (block.has_skip) {
    Activations out(x.height(), x.width(), block.outputs);
    block.skip(x, out);
    x = out;
  }
  block.conv2(inner, x, Convolution::Epilogue::add);
  return x;
}

cv::Mat Network::operator()(const cv::Mat& planes) const {
  const int step = 2 << (int(down_.size()) - 1);
  cv::Mat full;
  cv::copyMakeBorder(planes, full, 0, (step - planes.rows % step) % step, 0, (step - planes.cols % step) % step,
                     cv::BORDER_REPLICATE);
  Activations in(full.rows / 2, full.cols / 2, 4 * kInputs);  // each 2 x 2 pixels become one
  for_rows(full.rows, [&](int y) {
    const float* p = full.ptr<float>(y);
    for (int x = 0; x < full.cols; ++x)
      for (int c = 0; c < kInputs; ++c) in.at(y / 2, x / 2)[4 * c + 2 * (y % 2) + x % 2] = *p++;
  });
  Activations x(in.height(), in.width(), conv_in_.outputs());
  conv_in_(in, x);
  std::vector<Activations> skips;
  for (std::size_t i = 0; i < down_.size(); ++i) {
    x = run(down_[i], i ? halved(x) : x);
    skips.push_back(x);
  }
  Activations middle(x.height(), x.width(), x.channels());  // the last skip must stay as it is
  for_rows(x.height(), [&](int y) { std::memcpy(middle.at(y, 0), x.at(y, 0), sizeof(float) * x.width() * x.channels()); });
  add_mean(middle);
  for (const Block& b : middle_) middle = run(b, middle);
  x = middle;
  for (int i = int(up_.size()) - 1; i >= 0; --i) x = run(up_[i], joined(x, skips[i]));
  Activations wide(x.height(), x.width(), to_full_.outputs());
  to_full_(rectified(x), wide);
  const int shuffled = to_full_.outputs() / 4;
  Activations last(full.rows, full.cols, shuffled + kInputs);  // each pixel becomes 2 x 2 again, the input beside it
  for_rows(full.rows, [&](int y) {
    const float* p = full.ptr<float>(y);
    for (int j = 0; j < full.cols; ++j, p += kInputs) {
      const float* w = wide.at(y / 2, j / 2);
      float* o = last.at(y, j);
      for (int c = 0; c < shuffled; ++c) o[c] = w[4 * c + 2 * (y % 2) + j % 2];
      std::memcpy(o + shuffled, p, sizeof(float) * kInputs);
    }
  });
  Activations features(full.rows, full.cols, full_.outputs()), out(full.rows, full.cols, kOutputs);
  full_(last, features, Convolution::Epilogue::relu);
  conv_out_(features, out);
  cv::Mat result(planes.rows, planes.cols, CV_32FC(kOutputs));
  for_rows(planes.rows, [&](int y) {
    for (int j = 0; j < planes.cols; ++j)
      std::memcpy(result.ptr<float>(y) + kOutputs * j, out.at(y, j), sizeof(float) * kOutputs);
  });
  return result;
}

}  // namespace geometry_transfer::relief
