// SPDX-License-Identifier: GPL-3.0-or-later
/// Progress of a transfer while it runs, and its report afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "decisions.h"
#include "image.h"

namespace geometry_transfer {

enum class Stage { read, load, edit, encode, invert, generate, decode, composite };

/// Returns the untranslated id of a stage ("invert"), for reports.
const char* stage_id(Stage stage);
/// Returns the stage in the user's language ("Inverting"), for progress bars.
std::string stage_label(Stage stage);

struct Progress {
  Stage stage = Stage::read;
  int step = 0, steps = 0;   ///< within the stage; 0 of 0 if it has no steps
  double fraction = 0;       ///< of the whole transfer, [0,1], never decreasing
  double seconds_left = -1;  ///< estimate, below 0 while unknown
};

/// Called between steps, on the calling thread. Return false to stop: the transfer then throws Cancelled.
using ProgressCallback = std::function<bool(const Progress&)>;

struct StageTime {
  Stage stage;
  double seconds;
};

/// Report of one transfer. It is filled on the way, so the report of a failed transfer shows where it stopped.
struct Report {
  std::vector<StageTime> stages;
  double seconds = 0;             ///< wall clock, all stages
  std::uint64_t peak_memory = 0;  ///< of the process so far, bytes
  std::vector<double> residuals;  ///< per inversion step: |last move of the fixed point| / |latents|, worst stream
  Rect rectangle;                 ///< working rectangle on the canvas
  Size working;                   ///< what the model saw, pixels; 0x0 when no model ran
  double mask_share = 0;          ///< of the working rectangle, [0,1]
  double window_share = 1;        ///< of the working size: the window in which passes other than the target's run
  int unet_calls = 0;             ///< forward passes
  int unet_streams = 0;           ///< rows in them, summed
  int threads = 0;
  std::string model, device, precision;  ///< empty when no model ran
  GeometryDecisions decided;             ///< without Colour::shading nothing is decided
};

}  // namespace geometry_transfer
