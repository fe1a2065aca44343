// SPDX-License-Identifier: GPL-3.0-or-later
/// The worker is the plug-in's own executable, started by the plug-in with an argument that GIMP never passes.
#pragma once

#include "worker/server.h"

namespace geometry_transfer::worker {

/// For main(): true if worker_runner() started this process as a worker.
bool is_worker(int argc, char** argv);
/// Runs the worker until it ends; returns the exit code. Call start_texts() before.
int worker_main(char** argv);

/// Returns a runner that uses the worker of the GIMP that started this process. GEOMETRY_TRANSFER_KEEP is the time that
/// a model stays loaded after its last use: seconds, 0 to 100000, default 300. If it is 0 or not a number, there is no
/// worker, and the runner is empty.
Runner worker_runner();

}  // namespace geometry_transfer::worker
