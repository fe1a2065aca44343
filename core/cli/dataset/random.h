// SPDX-License-Identifier: GPL-3.0-or-later
/// Random numbers that depend on a seed and a place alone: picture 17 of seed 5 draws the same in every process.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace geometry_transfer::cli {

/// splitmix64: 64 bits of state, written out here because the library's distributions differ between compilers.
class Random {
 public:
  /// `place`: numbers that name the draw, such as the picture's index and the attempt.
  explicit Random(std::uint64_t seed, std::initializer_list<std::uint64_t> place = {}) : state_(seed) {
    for (const std::uint64_t number : place) state_ = next() ^ (number * 0x9E3779B97F4A7C15u);
  }

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  /// [0, 1)
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// [low, high]
  double between(double low, double high) { return low + (high - low) * unit(); }
  /// [0, count); count > 0
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(unit() * static_cast<double>(count)); }

  /// Returns the index of one of the weights, drawn by weight. Weights are >= 0 and not all 0.
  std::size_t pick(const std::vector<double>& weights) {
    double total = 0;
    for (const double w : weights) total += w;
    double left = unit() * total;
    std::size_t last = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (!(weights[i] > 0)) continue;
      last = i;
      if (left < weights[i]) return i;
      left -= weights[i];
    }
    return last;
  }

  template <class T>
  void shuffle(std::vector<T>& list) {
    for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[below(i)]);
  }

 private:
  std::uint64_t state_;
};

}  // namespace geometry_transfer::cli
