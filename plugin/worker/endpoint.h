// SPDX-License-Identifier: GPL-3.0-or-later
/// The socket that connects plug-in and worker, in a folder that only this user can enter. The kernel tells which user
/// owns the process at the other end. Connections from other users are refused.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "worker/channel.h"

namespace geometry_transfer::worker {

/// Identifies this executable file. Plug-in and worker must be the same file, so each build has its own worker.
std::string this_build();
/// Returns the socket's path for that GIMP, this user and this build: in $XDG_RUNTIME_DIR/geometry-transfer, or in
/// /tmp/geometry-transfer-UID. Creates the folder. "" if there is no such folder that is private to this user.
std::string socket_path(int gimp_pid);

/// Listens at `path`, and removes sockets in its folder whose workers have ended. Returns an empty descriptor if
/// another process listens there, or if the folder is not private to this user.
Fd listen_at(const std::string& path);
/// Connects. Tries for `limit` while the other end's queue is full. Calls `while_waiting` about every 50 ms; an
/// exception from it ends the wait. Returns an empty descriptor if nobody listens, if the time is over, or if the other
/// end is another user's. `nobody` receives true if nobody listens.
Fd connect_to(const std::string& path, Milliseconds limit = Milliseconds(1000), const std::function<void()>& while_waiting = {},
              bool* nobody = nullptr);
/// Returns the folder of the listener's file, or "".
std::string socket_folder(int listener);
/// Removes the listener's file. Call it before the listener is closed.
void remove_socket(int listener);
/// Returns the next connection. Empty if none waits, or if another user opened it.
Fd accept_from(int listener);

/// Returns a descriptor that becomes readable when that process ends. Empty if the system cannot watch it.
Fd watch(int pid);

/// Starts this program again with `arguments`, in its own session and not as a child of this process. It gets the
/// descriptors as 3, 4, ... (at most 8); no other is open, and its standard streams are /dev/null. Returns false if it
/// could not be started.
bool start_detached(const std::vector<std::string>& arguments, const std::vector<int>& descriptors);

/// Ends the process that listens for this connection, if it runs this program. `only_if_stopped`: only if it is stopped
/// (SIGSTOP, a debugger). A process that is slow but not stopped may be in the middle of another transfer.
void end_listener(int connection, bool only_if_stopped);

}  // namespace geometry_transfer::worker
