// SPDX-License-Identifier: GPL-3.0-or-later
/// A slider beside a number.
#pragma once

#include <gtk/gtk.h>

#include "geometry-transfer/request.h"

namespace geometry_transfer {

/// Returns true if a slider can reach the useful values: the table's range is small, or a smaller range is listed.
bool wants_slider(const Parameter& parameter);
/// Returns a slider that follows the number. The number may lie outside the slider's range.
GtkWidget* slider_of(const Parameter& parameter, GtkAdjustment* number);

}  // namespace geometry_transfer
