// SPDX-License-Identifier: GPL-3.0-or-later
/// A checkpoint of random numbers with every tensor that a network asks for. Times do not depend on the numbers.
#pragma once

#include <cmath>
#include <map>
#include <random>

#include "weights/tensor_list.h"

namespace geometry_transfer {

/// Numbers are fp16, as in most files. All tensors start at the same bytes.
class RandomWeights : public Checkpoint {
 public:
  explicit RandomWeights(const std::vector<TensorSpec>& tensors) {
    std::size_t most = 0;
    for (const TensorSpec& t : tensors) {
      std::size_t count = 1;
      for (const std::int64_t side : t.shape) count *= static_cast<std::size_t>(side);
      most = std::max(most, count);
    }
    bits_.resize(most);
    std::mt19937 random(1);
    for (std::uint16_t& b : bits_) b = static_cast<std::uint16_t>((random() & 0x83ff) | 0x2000);  // 0.008 to 0.016, either sign
    for (const TensorSpec& t : tensors)
      views_[t.key] = {DType::f16, t.shape, reinterpret_cast<const std::byte*>(bits_.data()), false};
  }
  const TensorView* find(const std::string& key) const override {
    const auto found = views_.find(key);
    return found == views_.end() ? nullptr : &found->second;
  }
  std::vector<std::string> keys() const override {
    std::vector<std::string> names;
    for (const auto& [key, view] : views_) names.push_back(key);
    return names;
  }
  std::string path() const override { return "random numbers"; }

 private:
  std::vector<std::uint16_t> bits_;
  std::map<std::string, TensorView> views_;
};

}  // namespace geometry_transfer
