// SPDX-License-Identifier: GPL-3.0-or-later
/// A slider beside a number.
#pragma once

#include <gtk/gtk.h>

#include "geometry-transfer/request.h"

namespace geometry_transfer {

/// The table's ranges are what is accepted; a slider makes sense where a hand can hit the values that matter.
bool wants_slider(const Parameter& parameter);
/// Moves with the number, which may leave what the slider covers.
GtkWidget* slider_of(const Parameter& parameter, GtkAdjustment* number);

}  // namespace geometry_transfer
