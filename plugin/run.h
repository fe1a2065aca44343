// SPDX-License-Identifier: GPL-3.0-or-later
/// One call of the procedure, the same on every host.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "geometry-transfer/transfer.h"
#include "host.h"
#include "worker/serve.h"

namespace geometry_transfer {

struct Call {
  enum class Mode { interactive, noninteractive, last_values };
  Mode mode = Mode::noninteractive;
  host::Id image = host::kNone, target = host::kNone;
  host::Id source = host::kNone;  ///< none: the remembered one, or what the user chooses
  Request request;                ///< noninteractive only
};

struct Outcome {
  enum class Status { done, cancelled, failed };
  Status status = Status::failed;
  std::string message;           ///< failed: for the user
  host::Id layer = host::kNone;  ///< done: the new one
};

/// The layers of one transfer as the core reads them. Throws Error (input) when they cannot be one: nothing selected, no
/// reference, the same layer twice, a channel, an indexed image.
class Material {
 public:
  Material(host::Id image, host::Id target, host::Id source);
  const Scene& scene() const { return scene_; }
  /// The selection's bounds on the target's canvas, before any placement.
  const Rect& selected() const { return selected_; }
  /// The selection's centre of gravity there: what a placement scales and turns about.
  double centre_x() const { return centre_x_; }
  double centre_y() const { return centre_y_; }

 private:
  void find_centre(const Raster& mask);

  Rect selected_;
  double centre_x_ = 0, centre_y_ = 0;
  std::vector<std::unique_ptr<Raster>> rasters_;
  Scene scene_;
};

/// Lets the user change call's source and request; false: cancelled. Not called unless the mode is interactive.
using Dialog = std::function<bool(Call&)>;

/// Reads, transfers, writes one new layer in one undo step. Leaves the image as it was unless the outcome is `done`.
/// `kept` runs a transfer where its model outlives this process; empty: in this process. A script's first call does not use it:
/// most scripts make one.
Outcome run(Call call, const Dialog& dialog, const worker::Runner& kept = {});

}  // namespace geometry_transfer
