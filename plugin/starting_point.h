// SPDX-License-Identifier: GPL-3.0-or-later
/// The values that a call starts from: those of the result that it is called on, else those of the last run.
#pragma once

#include "run.h"
#include "settings.h"

namespace geometry_transfer {

/// Fills call's request, source, further references and, if it is called on a result, `previous`, `target` and
/// `selection`.
///   On a result            its own settings and layers; its target takes its place. If something else is selected by
///                          now, the call starts a new transfer onto that target instead.
///   On another layer       the last run's settings. Layers and placement only if that run was in this image and, for
///                          the placement, had the same selection.
/// An interactive call may also exchange target and reference, see guess_sides. Call::hint says so.
void set_starting_point(Call& call);

/// Makes both sides of a call on two selected layers: the upper one is the reference, the lower one the target. The
/// other way round if only the lower one holds the selection. If one of them is a result, the call is made on that one.
/// Call::hint says which is which. Throws Error for more than two, and for a group with a layer in it. A script names
/// both sides, so several are refused.
void take_selected(Call& call);

/// The state (see kept_selection.h) of the selection that shows where the geometry lies on call.source. Empty if
/// nothing is selected, or if a layer mask shows it.
std::string reference_selection_state(const Call& call);

/// The call's settings as notes keep them. References in other images are left out: their tattoos mean nothing in this
/// one.
Remembered settings_of(const Call& call);

/// Stores the settings of an interactive call for the next one. Settings of a failed or cancelled
/// run count for the same image only, so a cancelled preset does not follow the user to another image.
void remember_started(const Call& call, const Remembered& settings);
void remember_finished(const Call& call, const Remembered& settings);

}  // namespace geometry_transfer
