// SPDX-License-Identifier: GPL-3.0-or-later
/// Where a plug-in and its worker meet: an abstract socket of Linux, which has no file and goes with its owner. The kernel says
/// whose process is at the other end; another user's is not spoken to.
#pragma once

#include <string>
#include <vector>

#include "worker/channel.h"

namespace geometry_transfer::worker {

/// Identifies this executable file. Plug-in and worker must have the same; another build has a worker of its own.
std::string this_build();
/// The address place for that GIMP, this user and this build.
std::string socket_name(int gimp_pid);

/// Empty when the name is taken or the system has no such sockets.
Fd listen_at(const std::string& name);
/// Empty when nobody listens there, or another user does.
Fd connect_to(const std::string& name);
/// Empty when no connection waits, or another user opened it.
Fd accept_from(int listener);

/// A descriptor that becomes readable when that process ends; empty when the system cannot watch it.
Fd watch(int pid);
/// True when the watched process has ended.
bool gone(int watched);

/// Starts this program anew with `arguments`, the descriptors as its 3, 4..., nothing else of ours open, nothing to read and
/// nowhere to print; in a session of its own and no child of this process. False when it could not be.
bool start_detached(const std::vector<std::string>& arguments, const std::vector<int>& descriptors);

/// Ends the process that listens for this connection, if it runs this program; for one that does not answer.
void end_listener(int connection);

}  // namespace geometry_transfer::worker
