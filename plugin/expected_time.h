// SPDX-License-Identifier: GPL-3.0-or-later
/// Estimates how long a transfer will take. Before the first run it is a rough sum from the processor's features and
/// the request; nothing is timed for it. Each run corrects it.
#pragma once

#include <string>

#include "geometry-transfer/models.h"
#include "geometry-transfer/request.h"
#include "run.h"

namespace geometry_transfer {

struct Work {
  ModelInfo model;     ///< the request's
  Rect selected;       ///< bounds of the main reference's selection
  Rect target;         ///< extent
  int geometries = 1;  ///< references with that role
  int textures = 0;
};
/// Never throws; an unknown value keeps its default. Reads the headers of the model's file.
Work work_of(const Call& call);
/// Does the same for a model that was inspected before.
Work work_of(const Call& call, const ModelInfo& model);

struct Machine {
  int cores = 1;
  double speed = 1;  ///< of a core, relative to one with AVX2
  bool gpu = false;  ///< true if there may be a GPU; only libtorch knows whether it can be used
};
Machine this_machine();

/// Returns the rows of all forward passes of the UNet, as Report::unet_streams, if no fixed point ends early.
int unet_rows(const Request& request, int geometries, int textures);

/// Returns the rough sum in seconds for a processor.
double estimated_seconds(const Request& request, const Work& work, const Machine& machine);

struct Expected {
  double seconds = -1;    ///< below 0: unknown
  bool measured = false;  ///< this preset has run here with a model of this family
};
Expected expected_time(const Request& request, const Work& work, const Machine& machine = this_machine());
/// Records the time of a run for later estimates.
void remember_time(const Request& request, const Work& work, double seconds);

/// Formats a time as precisely as it is known: "8 s", "25 s", "3 min".
std::string rough_time(double seconds);
/// Formats a label with its time: "Balanced (about 8 s)".
std::string with_time(const std::string& label, const Expected& expected);

}  // namespace geometry_transfer
