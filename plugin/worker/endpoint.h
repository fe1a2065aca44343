// SPDX-License-Identifier: GPL-3.0-or-later
/// Where a plug-in and its worker meet: an abstract socket of Linux, which has no file and goes with its owner. The kernel says
/// whose process is at the other end; another user's is not spoken to.
#pragma once

#include <string>
#include <vector>

#include "worker/channel.h"

namespace geometry_transfer::worker {

/// What both must be: this very file of this program. Another build's plug-in has a worker of its own.
std::string this_build();
/// The meeting place for that GIMP, this user and this build.
std::string socket_name(int gimp_pid);

/// Empty when the name is taken, or sockets of this kind are not to be had.
Fd listen_at(const std::string& name);
/// Empty when nobody listens there, or not this user.
Fd connect_to(const std::string& name);
/// Empty when none is waiting, or it is not this user's.
Fd accept_from(int listener);

/// Readable when that process is gone; empty when it cannot be watched.
Fd watch(int pid);
/// True when the watched process is gone.
bool gone(int watched);

/// Starts this program anew with `arguments`, the descriptors as its 3, 4..., nothing else of ours open, nothing to read and
/// nowhere to print; in a session of its own and no child of this process. False when it could not be.
bool start_detached(const std::vector<std::string>& arguments, const std::vector<int>& descriptors);

/// Ends the process that listens for this connection, if it runs this program; for one that does not answer.
void end_listener(int connection);

}  // namespace geometry_transfer::worker
