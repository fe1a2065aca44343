// SPDX-License-Identifier: GPL-3.0-or-later
#include "runtime/compute.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <sched.h>

#include <algorithm>
#include <thread>

#include "request/text.h"
#include "runtime/processor.h"

namespace geometry_transfer {
namespace {

/// Returns the cores that this process may use. A batch scheduler or taskset may allow fewer than the machine has.
int usable_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

bool runs_on_cuda(Device asked) {
  if (asked == Device::cpu) return false;  // first, because later calls open the driver
  if (at::hasCUDA()) return true;
  if (asked == Device::cuda)
    throw error(Error::Kind::input, _("There is no CUDA device here, or this build has no CUDA: choose the device auto or cpu."));
  return false;
}

at::ScalarType unet_on_cuda(Precision asked) {
  return asked == Precision::fp32 ? at::kFloat : asked == Precision::bf16 ? at::kBFloat16 : at::kHalf;
}

}  // namespace

Compute choose_compute(const Request& request, bool vae_overflows) {
  Compute c;
  c.threads = request.threads ? request.threads : usable_cores();
  if (runs_on_cuda(request.device)) {
    c.device = at::Device(at::kCUDA, 0);
    c.unet = unet_on_cuda(request.precision);
    if (c.unet == at::kHalf && !vae_overflows) c.vae = at::kHalf;
    return c;
  }
  switch (request.precision) {
    case Precision::automatic:
      c.unet = bf16_is_faster() ? at::kBFloat16 : at::kFloat;
      break;
    case Precision::fp32:
      c.unet = at::kFloat;
      break;
    case Precision::bf16:
      if (!can_compute_bf16())
        throw error(Error::Kind::input, _("This processor does not compute in bf16: choose auto or fp32."));
      c.unet = at::kBFloat16;
      break;
    case Precision::fp16:
      throw error(Error::Kind::input,
                  _("16-bit float needs a GPU, and this transfer runs on the processor: choose bf16 or fp32."));
  }
  return c;
}

void apply_threads(int threads) {
  if (at::get_num_threads() != threads) at::set_num_threads(threads);
}

std::uint64_t free_card_memory() {
  // The function is looked up by name. The CUDA runtime is loaded if libtorch has its CUDA part, and this needs no CUDA
  // headers.
  const auto ask = reinterpret_cast<int (*)(std::size_t*, std::size_t*)>(dlsym(RTLD_DEFAULT, "cudaMemGetInfo"));
  std::size_t free = 0, total = 0;
  return ask && ask(&free, &total) == 0 ? free : 0;
}

std::string precision_name(at::ScalarType type) { return type == at::kBFloat16 ? "bf16" : type == at::kHalf ? "fp16" : "fp32"; }

}  // namespace geometry_transfer
