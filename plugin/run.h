// SPDX-License-Identifier: GPL-3.0-or-later
/// One call of the procedure, the same on every host.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "further_reference.h"
#include "geometry-transfer/transfer.h"
#include "host/host.h"
#include "worker/server.h"

namespace geometry_transfer {

struct Call {
  enum class Mode { interactive, noninteractive, last_values };
  Mode mode = Mode::noninteractive;
  host::Id image = host::kNone, target = host::kNone;
  host::Id previous = host::kNone;        ///< the result that is edited again: run() finds it where target is one
  host::Id source = host::kNone;          ///< none: the remembered one, or what the user chooses
  std::vector<FurtherReference> further;  ///< noninteractive only, as the request
  bool bring_in = false;                  ///< references of other images are wanted in this one, see bring_in.h
  Request request;
};

struct Outcome {
  enum class Status { done, cancelled, failed };
  Status status = Status::failed;
  std::string message;           ///< failed: for the user
  host::Id layer = host::kNone;  ///< done: the new one
};

/// Lets the user change call's source, further references, bring_in and request; false: cancelled. Not called unless the mode is
/// interactive.
using Dialog = std::function<bool(Call&)>;

/// Reads, transfers, writes one new layer in one undo step. Leaves the image as it was unless the outcome is `done`.
/// `kept` runs a transfer where its model outlives this process; empty: in this process. A script's first call does not use it:
/// most scripts make one.
Outcome run(Call call, const Dialog& dialog, const worker::Runner& kept = {});

}  // namespace geometry_transfer
