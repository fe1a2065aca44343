// SPDX-License-Identifier: GPL-3.0-or-later
/// A combo box of the models on this machine with their family and size, and of the path that the settings name. Models
/// that cannot be used are grey and show the reason. The tooltip says where the chosen one lies. Emits "changed".
#pragma once

#include <gtk/gtk.h>

#include <string>

namespace geometry_transfer {

GtkWidget* models_box();
/// Returns the chosen model for Request::model; empty for the model that ships.
std::string models_box_path(GtkWidget* box);
/// Selects the row of `path`, and adds it if it is missing.
void models_box_select(GtkWidget* box, const std::string& path);

}  // namespace geometry_transfer
