// SPDX-License-Identifier: GPL-3.0-or-later
/// The two walks over the time grid: clean latents up to noise (inversion), noise down to the result (generation).
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "diffusion/schedule.h"
#include "diffusion/streams.h"
#include "diffusion/unet.h"

namespace geometry_transfer {

/// The model as both walks see it: noise in latents at a time of the grid.
struct NoisePredictor {
  const UNet& unet;
  const UNetContext& context;
  PredictionType type;
  /// latents (B, C, h, w) fp32 at `alpha` -> noise, same shape.
  Tensor operator()(const Tensor& latents, int timestep, double alpha, const SelfAttentionMixer& mixer,
                    WindowPass* pass = nullptr) const;
};

/// One read of one stream by another, by the streams' places in the list.
struct StreamRead {
  int stream;
  double log_weight = 0;
  Tensor weight_map;  ///< (1, 1, h, w) or undefined
};

/// One image on its way: `clean` in, the rest filled by invert().
struct StreamState {
  std::string name;                                   ///< for messages
  Tensor clean;                                       ///< (1, C, h, w)
  std::vector<StreamRead> reads;                      ///< in inversion
  std::vector<Tensor> trajectory;                     ///< [0] is clean, [i + 1] is at grid.timesteps[i]
  std::vector<KeyMemory> memory;                      ///< at each time, where it was kept; else empty
  Window window = {};                                 ///< not empty: walks in it alone, and outside it is the stream
  int around = -1;                                    ///< of this place, which walks before it and whose keys are kept
  std::vector<Surroundings> surroundings = {};        ///< of such windows, at each time, where another stream has one
  bool read = true;                                   ///< by another stream or the output: else its keys are not kept
  size_t times = std::numeric_limits<size_t>::max();  ///< of the grid that it walks, from the clean end
};

enum class Walk { inversion, generation };

struct WalkOptions {
  int iterations = 2;    ///< of the fixed point a step
  double tolerance = 0;  ///< stop a step's iterations below this residual
  bool keep_keys =
      true;  ///< streams that read only themselves first, the rest on their kept keys; false: all in one batch, recomputed
  size_t memory_limit = 0;  ///< bytes of kept keys; what does not fit is computed again in generation
  Span layers;              ///< self-attention sites where streams read each other, by AttentionSite::index
  Span times;               ///< timesteps where they do
  /// After each pass through the UNet, with the rows of its batch and what is done of this walk: progress, cancel
  /// (throws). May be empty.
  std::function<void(Walk walk, int rows, int done, int of)> after_call;
};

struct InversionReport {
  std::vector<double> residuals;  ///< a step: |z_k - z_(k-1)| / |z_k| of the last iteration, worst stream
};

/// Deterministic DDIM inversion; each step is implicit, z_t = move(z_s, eps(z_t, t)), and solved by fixed-point iteration from
/// z_s.
InversionReport invert(std::vector<StreamState>& streams, const TimeGrid& grid, const NoisePredictor& predictor,
                       const WalkOptions& options);

struct GenerationOptions {
  std::vector<StreamRead> reads;  ///< whom the output reads; stream == kOutput is itself
  Tensor mask;                    ///< (1, 1, h, w) latent mask in [0,1]: where the output is free
  int restored_stream = -1;       ///< whose trajectory is put back outside the mask
  double restore = 1;             ///< by which share
  Window window = {};             ///< of the output, where all of the restored stream stands outside it: restore must be 1
};
constexpr int kOutput = -1;

/// From `noisy` at the grid's last time to clean latents. `after_step` (may be empty) sees the latents after each step.
Tensor generate(const Tensor& noisy, const std::vector<StreamState>& streams, const TimeGrid& grid,
                const NoisePredictor& predictor, const WalkOptions& walk, const GenerationOptions& options,
                const std::function<void(const Tensor&)>& after_step = {});

}  // namespace geometry_transfer
