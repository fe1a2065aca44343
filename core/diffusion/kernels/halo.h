// SPDX-License-Identifier: GPL-3.0-or-later
/// The halo of a rectangle: the pixels one step outside it, which a 3x3 convolution reads. Works for any type of pixel.
#pragma once

#include <ATen/ATen.h>

namespace geometry_transfer {

/// Copies the halo of rows [top, top + height) and columns [left, left + width) in batch row `row` of x (B, C, H, W).
/// Returns (1, C, 1, 2 height + 2 width + 4) channels-last: the rows above and below with their corners, the left
/// column, the right column. Pixels outside the canvas are 0.
at::Tensor cut_halo(const at::Tensor& x, int64_t row, int64_t top, int64_t left, int64_t height, int64_t width);

/// Puts such a halo around every image of the batch: x (B, C, H, W) -> (B, C, H + 2, W + 2) channels-last. Throws if
/// the sizes do not match.
at::Tensor pad_with_halo(const at::Tensor& x, const at::Tensor& halo);

}  // namespace geometry_transfer
