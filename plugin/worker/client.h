// SPDX-License-Identifier: GPL-3.0-or-later
/// The plug-in's side of the worker.
#pragma once

#include <functional>
#include <string>

#include "worker/server.h"

namespace geometry_transfer::worker {

/// How a worker is reached, and how long is waited for it.
struct Meeting {
  std::string name;               ///< of the socket
  std::function<void(Fd)> start;  ///< a worker that listens there; may fail, and then nobody answers
  Milliseconds to_answer{10000};  ///< until a worker that is asked says hello
  Milliseconds to_speak{20000};   ///< between two signs of life
};

/// Runs a transfer in the worker, which is started where there is none. Whatever the worker fails at by itself (it cannot be
/// started, is busy, of another version, killed, silent) the transfer is done by `here` instead, from its beginning. Errors and
/// cancelling are the transfer's own and come as from `here`.
Layer run_kept(const Meeting& meeting, const Runner& here, const Scene& scene, const Request& request,
               const ProgressCallback& progress, Report& report);

}  // namespace geometry_transfer::worker
