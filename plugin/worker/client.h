// SPDX-License-Identifier: GPL-3.0-or-later
/// The plug-in's side of the connection to the worker.
#pragma once

#include <functional>
#include <string>

#include "worker/server.h"

namespace geometry_transfer::worker {

/// How to reach a worker, and how long to wait for it.
struct WorkerAddress {
  std::string path;               ///< the socket's file; "": no worker
  std::function<void(Fd)> start;  ///< starts a worker that listens on that socket; may fail silently
  /// Longest wait for a running worker: this long to connect, and as long again for its hello. A worker that is not
  /// stopped answers at once.
  Milliseconds answer_timeout{1000};
  /// Longest wait for the hello of a worker that was just started. A busy machine starts it slowly.
  Milliseconds hello_timeout{10000};
  /// Longest time without any message while a transfer runs.
  Milliseconds silence_timeout{kSilenceLimit};
};

/// Runs a transfer in the worker and starts one if there is none. If the worker itself fails (cannot be started, is
/// busy, has another version, is killed, is silent), `run_locally` does the transfer from the beginning. Errors and
/// Cancelled of the transfer are thrown as `run_locally` throws them.
Layer run_in_worker(const WorkerAddress& address, const Runner& run_locally, const Scene& scene, const Request& request,
                    const ProgressCallback& progress, Report& report);

}  // namespace geometry_transfer::worker
