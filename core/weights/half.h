// SPDX-License-Identifier: GPL-3.0-or-later
/// Single numbers of a TensorView, without torch.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "weights/checkpoint.h"

namespace geometry_transfer {

inline float bf16_to_float(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

/// IEEE 754 binary16.
inline float f16_to_float(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const float size = exponent == 31 ? (fraction ? NAN : INFINITY)
                     : exponent     ? std::ldexp(static_cast<float>(1024 + fraction), exponent - 25)
                                    : std::ldexp(static_cast<float>(fraction), -24);
  return bits & 0x8000 ? -size : size;
}

/// Returns the number at `index`, 0 to count - 1. The index is not checked.
inline float number_at(const TensorView& view, std::size_t index) {
  if (view.dtype == DType::f32) {
    float value;
    std::memcpy(&value, view.data + 4 * index, sizeof value);
    return value;
  }
  std::uint16_t bits;
  std::memcpy(&bits, view.data + 2 * index, sizeof bits);
  return view.dtype == DType::f16 ? f16_to_float(bits) : bf16_to_float(bits);
}

}  // namespace geometry_transfer
