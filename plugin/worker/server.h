// SPDX-License-Identifier: GPL-3.0-or-later
/// The worker: a process that keeps a model loaded. The plug-in cannot keep it, because GIMP starts it anew for each
/// run. The worker serves one GIMP and one plug-in at a time, and asks the plug-in for pixels as it needs them. It
/// opens only the model, the prompt cache, libraries and files of /proc (see confinement.h). It shows no window and
/// prints nothing.
#pragma once

#include <exception>
#include <functional>
#include <string>

#include "geometry-transfer/transfer.h"
#include "worker/channel.h"

namespace geometry_transfer::worker {

/// Runs one transfer. Session::run has this signature.
using Runner = std::function<Layer(const Scene&, const Request&, const ProgressCallback&, Report&)>;

/// This worker cannot serve the request. The plug-in starts a new worker.
class NotServed : public std::exception {};
/// Sees a request before it is run, while no other thread runs. May throw NotServed.
using Admission = std::function<void(const Request&)>;

/// Serves until the watched process (GIMP) ends, no connection comes for `idle`, memory is short (see
/// too_large_to_keep), `admit` refuses a request, or `run` fails unexpectedly. Returns the process's exit code: 0, or 1
/// after such a failure.
int serve(Fd listener, Fd watched, Milliseconds idle, const Runner& run, const Admission& admit = {});

/// True if this process holds more memory than the machine has free. Such a worker ends, so that its model does not
/// crowd out other programs. `proc`: the folder of the kernel's figures, meminfo and self/status. False if they are
/// missing.
bool too_large_to_keep(const std::string& proc = "/proc");

/// Makes the kernel kill this process before GIMP if memory runs out, because GIMP holds unsaved pictures. Both the
/// worker and the plug-in call it. The plug-in runs the transfer itself after the kernel has killed the worker.
void prefer_for_oom_kill();

}  // namespace geometry_transfer::worker
