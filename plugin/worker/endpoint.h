// SPDX-License-Identifier: GPL-3.0-or-later
/// Where a plug-in and its worker meet: a socket in a folder that only this user can enter. The kernel also says whose process is
/// at the other end; another user's is not spoken to.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "worker/channel.h"

namespace geometry_transfer::worker {

/// Identifies this executable file. Plug-in and worker must have the same; another build has a worker of its own.
std::string this_build();
/// The socket's path for that GIMP, this user and this build: in $XDG_RUNTIME_DIR/geometry-transfer, or
/// /tmp/geometry-transfer-UID. Makes the folder. "" when there is no such folder that is private to this user.
std::string socket_path(int gimp_pid);

/// Listens at `path` and removes sockets in its folder whose workers have ended. Empty when somebody listens there already, or
/// the folder is not private to this user.
Fd listen_at(const std::string& path);
/// Connects within `limit`, also when the other end is stopped and its queue is full. `while_waiting` is called about every 50
/// ms; what it throws ends the wait. Empty when nobody listens, nobody answers in time, or another user does. `nobody`: set to
/// whether nobody listens.
Fd connect_to(const std::string& path, Milliseconds limit = Milliseconds(1000), const std::function<void()>& while_waiting = {},
              bool* nobody = nullptr);
/// Removes the listener's file, before the listener is closed.
void remove_socket(int listener);
/// Empty when no connection waits, or another user opened it.
Fd accept_from(int listener);

/// A descriptor that becomes readable when that process ends; empty when the system cannot watch it.
Fd watch(int pid);
/// True when the watched process has ended.
bool gone(int watched);

/// Starts this program anew with `arguments`, the descriptors as its 3, 4..., nothing else of ours open, nothing to read and
/// nowhere to print; in a session of its own and no child of this process. False when it could not be.
bool start_detached(const std::vector<std::string>& arguments, const std::vector<int>& descriptors);

/// Ends the process that listens for this connection, if it runs this program. `only_if_stopped`: only when it is stopped
/// (SIGSTOP, a debugger); one that is merely slow may be in the middle of another transfer.
void end_listener(int connection, bool only_if_stopped);

}  // namespace geometry_transfer::worker
