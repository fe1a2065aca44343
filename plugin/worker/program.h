// SPDX-License-Identifier: GPL-3.0-or-later
/// The worker as a second life of the plug-in's own program: started by the plug-in, with a word that GIMP does not use.
#pragma once

#include "worker/server.h"

namespace geometry_transfer::worker {

/// For main(): true when this process was started to be a worker, by the runner below.
bool is_worker(int argc, char** argv);
/// The whole life of one; the exit code. Texts are to be started before.
int worker_main(char** argv);

/// Runs transfers in the worker of the GIMP that started this process. Empty when the user wants none: GEOMETRY_TRANSFER_KEEP is
/// how many seconds a model is kept after its last use, 300 without it, 0 not at all.
Runner kept_runner();

}  // namespace geometry_transfer::worker
