// SPDX-License-Identifier: GPL-3.0-or-later
/// The pixels one out round a rectangle: what convolutions reach for beyond it. Copies of whole pixels, any type.
#pragma once

#include <ATen/ATen.h>

namespace geometry_transfer {

/// Of row `row` of x (B, C, H, W): those round rows [top, top + height) and columns [left, left + width), zeros off the canvas,
/// as (1, C, 1, 2 height + 2 width + 4) channels-last: above and below with their corners, left, right.
at::Tensor ring_round(const at::Tensor& x, int64_t row, int64_t top, int64_t left, int64_t height, int64_t width);

/// x (B, C, H, W) -> (B, C, H + 2, W + 2) channels-last with such a ring round each row's picture.
at::Tensor with_ring(const at::Tensor& x, const at::Tensor& ring);

}  // namespace geometry_transfer
