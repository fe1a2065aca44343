// SPDX-License-Identifier: GPL-3.0-or-later
/// What is remembered between runs, as text: a request with the layers it was for, and how long each preset took here.
#pragma once

#include <map>
#include <string>

#include "geometry-transfer/progress.h"
#include "geometry-transfer/request.h"
#include "host.h"

namespace geometry_transfer {

/// A run, as its result layer and the user's last values remember it. Layers by tattoo, 0: not known.
struct Remembered {
  Request request;
  unsigned target = 0, source = 0;
};

/// "name=value" lines in the C locale.
std::string settings_text(const Remembered& settings);
/// What cannot be read, or is out of range by now, keeps its default.
Remembered parse_settings(const std::string& text);

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
