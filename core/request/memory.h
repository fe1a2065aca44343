// SPDX-License-Identifier: GPL-3.0-or-later
/// Measures free memory, so that a request that cannot fit is refused before anything is allocated. Also makes the
/// process keep memory that it needs again and again.
#pragma once

#include <cstdint>
#include <string>

namespace geometry_transfer {

/// Returns the bytes that this process may still take. It is the least of three: free memory and swap, the limits of
/// its control groups (a container, a batch job), and its address-space limit. Returns the largest number if none is
/// known. Gives freed memory back to the system first.
std::uint64_t free_memory();

/// Returns the peak memory of this process in bytes; 0 if unknown.
std::uint64_t peak_memory();

/// Formats bytes as gigabytes for a sentence: "6.1".
std::string gigabytes(std::uint64_t bytes);

/// Makes this process keep freed pieces of up to 128 MB for later allocations. A stage allocates and frees pictures of
/// some MB again and again. Each time the kernel would take the pages away and clear new ones ("Memory that is kept" in
/// docs/experiments/kernels.md). Larger pieces go back at once, because keeping them raises the peak. Does
/// nothing if the user has set malloc's variables. Call it once, when a program starts.
void keep_freed_memory();

}  // namespace geometry_transfer
