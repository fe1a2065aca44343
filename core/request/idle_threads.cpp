// SPDX-License-Identifier: GPL-3.0-or-later
#include "request/idle_threads.h"

#include <stdlib.h>

#include <thread>

namespace geometry_transfer {

IdleThreads idle_threads(double load, int cores) {
  if (load > 0.5 * cores) return {"OMP_WAIT_POLICY", "passive"};
  // libgomp's default is 300000. This value spins long enough for the start of the next operator, but not for a whole
  // stage.
  return {"GOMP_SPINCOUNT", "10000"};
}

void set_idle_threads() {
  if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return;
  double load = 0;
  if (getloadavg(&load, 1) != 1) return;
  const IdleThreads chosen = idle_threads(load, static_cast<int>(std::thread::hardware_concurrency()));
  setenv(chosen.variable, chosen.value, 0);
}

}  // namespace geometry_transfer
