// SPDX-License-Identifier: GPL-3.0-or-later
/// Takes from the worker what it never needs, so that a fault in a library that reads a stranger's model stays inside.
/// Landlock limits the files, seccomp the system calls. Both work without privileges and cannot be undone.
#pragma once

#include <string>
#include <vector>

namespace geometry_transfer::worker {

/// Files and folders, each with everything below it. Places that do not exist are left out.
struct Places {
  std::vector<std::string> read;    ///< may be read
  std::vector<std::string> write;   ///< files in these folders may be read, made, written, renamed and removed
  std::vector<std::string> remove;  ///< files in these folders may be removed
};

/// What the kernel enforces from now on.
struct Confinement {
  int files = 0;       ///< the version of Landlock; 0: the kernel has none, or it is off
  bool calls = false;  ///< the filter of system calls is on
};

/// Confines the calling thread and the threads that it starts from now on, so call it before any other thread runs.
/// Refused are then: files outside `places`, sockets of a network, connections to local sockets, other programs,
/// signals to and memory of other processes. Devices of graphics cards and /dev/null stay usable. Does less where the
/// kernel has less, and never fails.
Confinement confine(const Places& places);

/// Returns false if the worker must run unconfined: GEOMETRY_TRANSFER_CONFINE is "no", or NVIDIA's driver still has to
/// run its setuid helper, which makes /dev/nvidia-uvm at the first use of the card after a boot.
bool may_confine();

}  // namespace geometry_transfer::worker
