// SPDX-License-Identifier: GPL-3.0-or-later
/// What this processor says of itself. No libtorch is needed.
#pragma once

namespace geometry_transfer {

/// Whether oneDNN computes bf16 here: it needs AVX-512's byte and word instructions, with or without those made for bf16.
bool can_compute_bf16();

/// Where bf16 is not only there but faster than fp32: tiles (AMX), or AMD's full-rate dot products (Zen 5: a transfer in 0.7 of
/// the time, docs/speed.md). Intel's AVX512_BF16 without AMX runs at half the speed of its fp32 multiply-adds (measured: 175
/// against 330 GFLOP/s on two cores), and rounds on top. Decided by what the processor says and not by a stopwatch, so that the
/// same request gives the same bytes every time.
bool bf16_is_faster();

/// Where 3x3 convolutions of a network in bf16 are faster by Winograd in fp32, with a quarter of the multiplications, than direct
/// in bf16, which has twice as many in an instruction: AVX-512 without tiles (AMX), which have sixteen times as many.
bool winograd_for_bf16();

}  // namespace geometry_transfer
