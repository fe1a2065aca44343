// SPDX-License-Identifier: GPL-3.0-or-later
/// What memory there is, so that a request that cannot fit is refused in a sentence before anything of it is allocated.
#pragma once

#include <cstdint>
#include <string>

namespace geometry_transfer {

/// Bytes that this process may still take: the least of what the machine has (memory and swap), what its control groups leave (a
/// container, a batch job) and what its address-space limit leaves. The largest number where nothing says.
std::uint64_t free_memory();

/// Most bytes of memory that this process had so far; 0 where nothing says.
std::uint64_t peak_memory();

/// "6.1": bytes as gigabytes, for a sentence.
std::string gigabytes(std::uint64_t bytes);

}  // namespace geometry_transfer
