// SPDX-License-Identifier: GPL-3.0-or-later
/// Stores settings between runs, as text: a request with the layers it was for, and how fast this machine was.
#pragma once

#include <string>

#include "geometry-transfer/progress.h"
#include "geometry-transfer/request.h"
#include "host/host.h"
#include "settings_text.h"

namespace geometry_transfer {

/// True for a result, and for each layer of a result that is a group.
bool is_result(host::Id layer);
/// Returns the group if `layer` is one of the layers of a result, else `layer`.
host::Id whole_result(host::Id layer);
/// True if the picture depends on the parameter; false if it only says what this machine is asked for (device,
/// precision, threads, memory).
bool is_of_the_result(const Parameter& parameter);
/// Reads the settings of a result's layer. Returns false if the layer is not a result of this plug-in. Device, number
/// format, threads and memory come from this user's last run, because the image may be a stranger's. The model comes
/// from the layer, because the result depends on it.
bool layer_settings(host::Id layer, Remembered& settings);
void set_layer_settings(host::Id layer, const Remembered& settings);
/// How the layer was made: "name=value" lines with the model, the seconds in all and of each stage.
void set_layer_report(host::Id layer, const Report& report);
Remembered last_settings();
void set_last_settings(const Remembered& settings);

/// Times of transfers on this machine, divided by the estimated times.
struct Speed {
  double ratio = 1;
  bool known = false;        ///< some preset has run with a model of the family
  bool this_preset = false;  ///< the one asked for has
};
/// `family`: ModelInfo's; empty for the edit alone.
Speed speed_of(const std::string& preset, const std::string& family);
void set_speed(const std::string& preset, const std::string& family, double ratio);

}  // namespace geometry_transfer
