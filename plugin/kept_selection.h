// SPDX-License-Identifier: GPL-3.0-or-later
/// The selection that a result was made with, kept as a channel of its image, so that the result can be edited again
/// later.
#pragma once

#include <string>

#include "host/host.h"

namespace geometry_transfer {

/// Identifies the image's selection by its bounds and a hash of its coverage. Empty when nothing is selected.
std::string selection_state(host::Id image);

/// The state of the selection that a channel keeps.
std::string state_of_kept_selection(host::Id channel);

/// A channel of `image` with this state that an earlier result left there; kNone if there is none.
host::Id find_kept_selection(host::Id image, const std::string& state);

/// Copies the image's selection to a new, invisible channel called `name`. The channel is not in the image yet: insert
/// it with host::insert_channel, or free it with host::delete_layer. kNone if the host refuses.
host::Id copy_selection(host::Id image, const std::string& name, const std::string& state);

/// True if every pixel of the canvas is selected.
bool selects_everything(host::Id image);

/// Returns the canvas box of the channel's pixels above 0; empty if there are none.
Rect covered_bounds(host::Id channel);

}  // namespace geometry_transfer
