// SPDX-License-Identifier: GPL-3.0-or-later
/// How the threads of a model wait for each other between operators.
#pragma once

namespace geometry_transfer {

/// libgomp's variable and its value.
struct IdleThreads {
  const char* variable;
  const char* value;
};

/// Threads that are waited for spin for milliseconds, which is fastest on an idle machine. Where other programs want the cores,
/// those they wait for are not running, and spinning takes the time that these would need: with as many busy programs as cores a
/// transfer took 1.5 times as long as with sleeping threads, and several times on a machine that is busier still; on an idle one
/// sleeping costs a tenth. `load`: processes that run or want to, of the last minute.
IdleThreads idle_threads(double load, int cores);

/// Sets it for this process, unless the user has. Once, where a program starts: libgomp reads its environment when it is loaded,
/// which GEGL's operations do as well. Results do not depend on it.
void set_idle_threads();

}  // namespace geometry_transfer
