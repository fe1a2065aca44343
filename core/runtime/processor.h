// SPDX-License-Identifier: GPL-3.0-or-later
/// What this processor says of itself. No libtorch is needed.
#pragma once

namespace geometry_transfer {

/// Whether oneDNN computes bf16 here: it needs AVX-512's byte and word instructions, with or without those made for bf16.
bool can_compute_bf16();

/// Where bf16 is not only there but faster than fp32: tiles (AMX), or AMD's full-rate dot products. Intel's AVX512_BF16 without
/// AMX runs at half the speed of its fp32 multiply-adds (measured: 175 against 330 GFLOP/s on two cores), and rounds on top.
/// Decided by what the processor says and not by a stopwatch, so that the same request gives the same bytes every time.
bool bf16_is_faster();

}  // namespace geometry_transfer
