// SPDX-License-Identifier: GPL-3.0-or-later
/// How long a transfer will take here. Before the first run that is a rough sum, from what the processor says of itself and from
/// what the request asks for; nothing is timed for it. Every run then puts it right.
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
  int geometries = 1;  ///< references, by role
  int textures = 0;
};
/// Never throws: what cannot be told keeps its default. Looks at the model's file.
Work work_of(const Call& call);
/// The same with a model that was looked at before.
Work work_of(const Call& call, const ModelInfo& model);

struct Machine {
  int cores = 1;
  double speed = 1;  ///< of a core's arithmetic, against one with AVX2
  bool gpu = false;  ///< perhaps: whether libtorch can use it is known only when it is opened
};
Machine this_machine();

/// Rows of all forward passes of the UNet: Report::unet_streams, where no fixed point ends early.
int unet_rows(const Request& request, int geometries, int textures);

/// The rough sum, in seconds, for a processor.
double estimated_seconds(const Request& request, const Work& work, const Machine& machine);

struct Expected {
  double seconds = -1;    ///< below 0: nobody knows
  bool measured = false;  ///< this preset has run here with a model of this family
};
Expected expected_time(const Request& request, const Work& work, const Machine& machine = this_machine());
/// What a run took, for later expectations.
void remember_time(const Request& request, const Work& work, double seconds);

/// "8 s", "25 s", "3 min": as precise as it can be.
std::string rough_time(double seconds);
/// "Balanced (about 8 s)".
std::string with_time(const std::string& label, const Expected& expected);

}  // namespace geometry_transfer
