// SPDX-License-Identifier: GPL-3.0-or-later
#include "runtime/processor.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace geometry_transfer {

#if defined(__x86_64__)
namespace {

/// True if the processor has AMX with bf16. Read from leaf 7 directly, because not all compilers know this feature.
bool has_bf16_tiles() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx >> 22 & 1);
}

}  // namespace
#endif

bool can_compute_bf16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#else
  return false;
#endif
}

bool bf16_is_faster() {
#if defined(__x86_64__)
  return has_bf16_tiles() || (__builtin_cpu_is("amd") && __builtin_cpu_supports("avx512bf16"));
#else
  return false;
#endif
}

bool winograd_for_bf16() {
#if defined(__x86_64__)
  return can_compute_bf16() && !has_bf16_tiles();
#else
  return false;
#endif
}

}  // namespace geometry_transfer
