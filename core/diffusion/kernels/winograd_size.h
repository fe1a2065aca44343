// SPDX-License-Identifier: GPL-3.0-or-later
/// Decides which convolutions use Winograd, and how much memory they take. No libtorch, because a model is weighed
/// before it is loaded.
#pragma once

#include <cstdint>

namespace geometry_transfer {

/// Returns the bytes of a 3x3 convolution's transformed fp32 weights, four times the plain ones. 0 if its channels do
/// not fill the vector registers, or if the memory is too large for what it saves.
inline std::uint64_t winograd_bytes(std::int64_t out, std::int64_t in) {
  constexpr std::uint64_t kMost = 16 << 20;
  const std::uint64_t bytes = static_cast<std::uint64_t>(out * in) * 36 * sizeof(float);
  return out % 16 == 0 && in % 8 == 0 && bytes <= kMost ? bytes : 0;
}

}  // namespace geometry_transfer
