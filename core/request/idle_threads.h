// SPDX-License-Identifier: GPL-3.0-or-later
/// Sets how a model's threads wait for each other between operators.
#pragma once

namespace geometry_transfer {

/// The name of libgomp's variable, and its value.
struct IdleThreads {
  const char* variable;
  const char* value;
};

/// Chooses how waiting threads behave. By default they spin for milliseconds, which is fastest on an idle machine. If
/// other programs use the cores, spinning takes the time of the threads that are waited for. With as many busy programs
/// as cores, a transfer takes 1.5 times as long as with sleeping threads, and more on a busier machine. On an idle
/// machine sleeping costs a tenth. `load`: mean number of running or waiting processes in the last minute.
IdleThreads idle_threads(double load, int cores);

/// Sets the variable for this process, unless the user has set it. Call it once, when a program starts: libgomp reads
/// its environment when it is loaded, and GEGL's operations load it too. Results do not depend on it.
void set_idle_threads();

}  // namespace geometry_transfer
