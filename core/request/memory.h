// SPDX-License-Identifier: GPL-3.0-or-later
/// What memory there is, so that a request that cannot fit is refused in a sentence before anything of it is allocated; and that
/// it stays while it is needed again and again.
#pragma once

#include <cstdint>
#include <string>

namespace geometry_transfer {

/// Bytes that this process may still take: the least of what the machine has (memory and swap), what its control groups leave (a
/// container, a batch job) and what its address-space limit leaves. The largest number where nothing says. What was freed and
/// kept is given back first.
std::uint64_t free_memory();

/// Most bytes of memory that this process had so far; 0 where nothing says.
std::uint64_t peak_memory();

/// "6.1": bytes as gigabytes, for a sentence.
std::string gigabytes(std::uint64_t bytes);

/// From now on this process keeps what it frees, of pieces up to 128 MB, for what it asks for next. A stage makes and frees
/// pictures and features of some MB again and again; each time the kernel would take the pages away and clear others
/// (docs/speed.md). Larger pieces still go back at once: kept, they raise the most that is needed. Unless the user has set
/// malloc's variables. Once, where a program starts.
void keep_freed_memory();

}  // namespace geometry_transfer
