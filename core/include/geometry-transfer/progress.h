// SPDX-License-Identifier: GPL-3.0-or-later
/// How far a transfer is, and what it took.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "image.h"

namespace geometry_transfer {

enum class Stage { read, load, edit, encode, invert, generate, decode, composite };

/// Untranslated id of a stage ("invert"), for reports.
const char* stage_id(Stage stage);
/// The stage in the user's language ("Inverting"), for progress bars.
std::string stage_label(Stage stage);

struct Progress {
  Stage stage = Stage::read;
  int step = 0, steps = 0;   ///< within the stage; 0 of 0 where a stage has no steps
  double fraction = 0;       ///< of the whole transfer, [0,1], never decreasing
  double seconds_left = -1;  ///< estimate, below 0 while unknown
};

/// Called between steps, on the calling thread. Return false to stop: the transfer then throws Cancelled.
using ProgressCallback = std::function<bool(const Progress&)>;

struct StageTime {
  Stage stage;
  double seconds;
};

/// What one transfer did; filled as it goes, so that it says where a failed one stopped.
struct Report {
  std::vector<StageTime> stages;
  double seconds = 0;             ///< wall clock, all stages
  std::uint64_t peak_memory = 0;  ///< of the process so far, bytes
  std::vector<double> residuals;  ///< per inversion step: |last move of the fixed point| / |latents|, worst stream
  Rect rectangle;                 ///< working rectangle on the canvas
  Size working;                   ///< what the model saw, pixels; 0x0 when no model ran
  double mask_share = 0;          ///< of the working rectangle, [0,1]
  double window_share = 1;        ///< of the working size: what passes that differ from the target's were run on
  int unet_calls = 0;             ///< forward passes
  int unet_streams = 0;           ///< rows in them, summed
  int threads = 0;
  std::string model, device, precision;  ///< empty when no model ran
};

}  // namespace geometry_transfer
