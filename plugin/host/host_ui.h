// SPDX-License-Identifier: GPL-3.0-or-later
/// The widgets that differ between GIMP versions. They are not in host.h, so tests of host.h need no screen.
#pragma once

#include <gtk/gtk.h>

#include <functional>

#include "host/host.h"

namespace geometry_transfer::host {

void ui_start();

/// Returns a list of the layers of all open images except `target`, with `selected` chosen; none if that is kNone.
/// Calls `chosen` once before it returns and at every change, with kNone if nothing is chosen.
GtkWidget* layer_chooser(Id target, Id selected, std::function<void(Id)> chosen);

/// Returns a new picture of the layer with `size` pixels on its longer side, on checks where it is transparent. Null if
/// the host has none.
GdkPixbuf* thumbnail(Id layer, int size);

}  // namespace geometry_transfer::host
