// SPDX-License-Identifier: GPL-3.0-or-later
/// The worker: a process that keeps a model between the runs of the plug-in, which GIMP starts anew for each. It works for one
/// GIMP and one plug-in at a time, reads pixels from the plug-in as it needs them, and has no file, no window, and nothing to
/// say.
#pragma once

#include <functional>

#include "geometry-transfer/transfer.h"
#include "worker/channel.h"

namespace geometry_transfer::worker {

/// One transfer; Session::run is one.
using Runner = std::function<Layer(const Scene&, const Request&, const ProgressCallback&, Report&)>;

/// Serves until the watched process (GIMP) is gone, nothing was asked for `idle`, or memory is short (see too_large_to_keep).
/// The result is the process's exit code.
int serve(Fd listener, Fd watched, Milliseconds idle, const Runner& run);

/// True when this process holds more memory than the machine has to spare: a model is kept only where it would fit twice.
bool too_large_to_keep();

/// Where memory ends, the kernel ends this process before GIMP and its unsaved pictures. For whatever process runs a transfer:
/// the worker, and the plug-in, which makes it anew when just that has happened to the worker.
void go_first();

}  // namespace geometry_transfer::worker
