// SPDX-License-Identifier: GPL-3.0-or-later
/// A combo box of the models on this machine with their family and size, those that cannot be used greyed with the reason; and of
/// any other that the user points at. Its tooltip says where the chosen one lies. Emits "changed".
#pragma once

#include <gtk/gtk.h>

#include <string>

namespace geometry_transfer {

GtkWidget* models_box();
/// What Request::model wants: empty for the model that ships.
std::string models_box_path(GtkWidget* box);
/// Adds the path where it is not in the list.
void models_box_select(GtkWidget* box, const std::string& path);

}  // namespace geometry_transfer
