// SPDX-License-Identifier: GPL-3.0-or-later
/// main() of the benchmarks on libtorch. Uses all cores, as a transfer does; Debian 12's libtorch starts with one
/// thread.
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include <thread>

int main(int argc, char** argv) {
  at::set_num_threads(static_cast<int>(std::thread::hardware_concurrency()));
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
