// SPDX-License-Identifier: GPL-3.0-or-later
/// One call of the procedure, the same on every host.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "copies.h"
#include "further_reference.h"
#include "geometry-transfer/transfer.h"
#include "host/host.h"
#include "worker/server.h"

namespace geometry_transfer {

struct Call {
  enum class Mode { interactive, noninteractive, last_values };
  Mode mode = Mode::noninteractive;
  host::Id image = host::kNone, target = host::kNone;
  host::Id previous = host::kNone;        ///< the result that this one replaces; run() sets it if target is a result
  std::vector<host::Id> selected;         ///< in the layers dialog, where a host lets it be several; see take_selected()
  host::Id source = host::kNone;          ///< kNone: the remembered one, or the one that the user chooses
  std::vector<FurtherReference> further;  ///< noninteractive only, as the request
  host::Id selection = host::kNone;       ///< a channel in place of the image's selection; run() sets it for a result
  bool bring_in = false;                  ///< adds hidden copies of references in other images, see bring_in.h
  Request request;
  bool separate = false;           ///< makes a group of layers instead of one, see ImagePart::separate()
  std::string kind = "automatic";  ///< what the geometry is, see kinds.h: names the result
  std::string hint;                ///< for the dialog: which sides run() has guessed, and why
  Copies copies;                   ///< interactive only

  /// For the dialog, set by run(): makes a result of the call as it is, in one undo step. `meanwhile` is called now and
  /// then, so that the dialog stays drawn. Afterwards the call is ready for another placement: `previous` is kNone,
  /// references are those in this image, `applied` is the new layer. Throws as Session::run does; the image is then
  /// unchanged.
  std::function<void(Call& call, const std::function<void()>& meanwhile)> apply;
  host::Id applied = host::kNone;  ///< the last result that `apply` has made
  std::string applied_state;       ///< for the dialog: what that result rests on
};

struct Outcome {
  enum class Status { done, cancelled, failed };
  Status status = Status::failed;
  std::string message;           ///< failed: for the user
  host::Id layer = host::kNone;  ///< done: the new one
};

/// Lets the user change the call's source, further references, bring_in, copies and request. Returns false if no result
/// is to be made, or no more than the dialog has applied. Called in interactive mode only.
using Dialog = std::function<bool(Call&)>;

/// Reads, transfers, and writes one new layer in one undo step. The image is unchanged unless the outcome is `done`.
/// `in_worker` runs a transfer in the worker, whose model outlives this process; empty: always run in this process. A
/// script's first call runs in this process, because most scripts make only one.
Outcome run(Call call, const Dialog& dialog, const worker::Runner& in_worker = {});

}  // namespace geometry_transfer
