// SPDX-License-Identifier: GPL-3.0-or-later
/// What is remembered between runs, as text: a request with the layers it was for, and how long each preset took here.
#pragma once

#include <string>

#include "geometry-transfer/progress.h"
#include "geometry-transfer/request.h"
#include "host.h"
#include "settings_text.h"

namespace geometry_transfer {

/// False when the layer is no result of ours.
bool layer_settings(host::Id layer, Remembered& settings);
void set_layer_settings(host::Id layer, const Remembered& settings);
/// How the layer was made: "name=value" lines with the model, the seconds in all and of each stage.
void set_layer_report(host::Id layer, const Report& report);
Remembered last_settings();
void set_last_settings(const Remembered& settings);

/// Seconds that a preset last took on this machine; below 0 while it was never run.
double seconds_taken(const std::string& preset);
void set_seconds_taken(const std::string& preset, double seconds);

}  // namespace geometry_transfer
