// SPDX-License-Identifier: GPL-3.0-or-later
/// The widgets that differ from one GIMP to the next, beside host.h for tests without a screen.
#pragma once

#include <gtk/gtk.h>

#include <functional>

#include "host/host.h"

namespace geometry_transfer::host {

void ui_start();

/// Lists the layers of all open images but `target`; those of `image` first in GIMP's own order. Calls `chosen` at every change
/// and once before it returns, with kNone when there is nothing to choose.
GtkWidget* layer_chooser(Id target, Id selected, std::function<void(Id)> chosen);

}  // namespace geometry_transfer::host
