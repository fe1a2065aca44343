// SPDX-License-Identifier: GPL-3.0-or-later
/// The dialog, made from the parameter table.
#pragma once

#include "run.h"

namespace geometry_transfer {

/// Lets the user change the call. Returns false if no further result is to be made: cancelled, or applied already.
bool show_dialog(Call& call);

}  // namespace geometry_transfer
