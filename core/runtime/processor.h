// SPDX-License-Identifier: GPL-3.0-or-later
/// Asks the processor for its features. No libtorch.
#pragma once

namespace geometry_transfer {

/// True if oneDNN computes bf16 here. It needs AVX-512's byte and word instructions; those for bf16 are optional.
bool can_compute_bf16();

/// True if bf16 is faster than fp32 here: with AMX tiles, or with AMD's full-rate dot products. On Zen 5 a transfer in
/// bf16 takes 0.7 of the time. Intel's AVX512_BF16 without AMX is slower (175 against 330 GFLOP/s on two cores), and it
/// rounds. The answer depends on the processor's features, not on a measurement, so the same request always gives the
/// same bytes. See docs/experiments/kernels.md, "AVX-512 and bf16".
bool bf16_is_faster();

/// True if Winograd in fp32 is faster for a bf16 network's 3x3 convolutions than the direct form in bf16. Winograd
/// needs a quarter of the multiplications. bf16 has twice as many in an instruction with AVX-512, but sixteen times as
/// many with AMX.
bool winograd_for_bf16();

}  // namespace geometry_transfer
