// SPDX-License-Identifier: GPL-3.0-or-later
/// The widgets that differ from one GIMP to the next, beside host.h for tests without a screen.
#pragma once

#include <gtk/gtk.h>

#include <functional>

#include "host/host.h"

namespace geometry_transfer::host {

void ui_start();

/// A list of the layers of all open images but `target`, with `selected` chosen, or none if that is kNone. Calls `chosen` once
/// before it returns, and at every change, with kNone if nothing is chosen.
GtkWidget* layer_chooser(Id target, Id selected, std::function<void(Id)> chosen);

/// The layer, `size` pixels on its longer side, on checks where it is transparent. New; null if the host has none.
GdkPixbuf* thumbnail(Id layer, int size);

}  // namespace geometry_transfer::host
