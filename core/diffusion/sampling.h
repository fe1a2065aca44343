// SPDX-License-Identifier: GPL-3.0-or-later
/// Shared by inversion (clean latents up to noise) and generation (noise down to the result): the streams, the options,
/// and the model's noise prediction.
///
/// Basic use:
///   std::vector<StreamState> streams = make_streams(input, request);
///   invert(streams, grid, predictor, options);  // fills the trajectories and the kept keys
///   Tensor result = generate(noisy, streams, grid, predictor, options, generation);
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "diffusion/schedule.h"
#include "diffusion/streams.h"
#include "diffusion/unet.h"

namespace geometry_transfer {

/// Predicts the noise in latents at a time of the grid.
struct NoisePredictor {
  const UNet& unet;
  const UNetContext& context;
  PredictionType type;
  /// latents (B, C, h, w) fp32 at `alpha` -> noise, same shape.
  Tensor operator()(const Tensor& latents, int timestep, double alpha, const SelfAttentionMixer& mixer,
                    WindowPass* pass = nullptr) const;
};

/// One stream reads the keys of another; `stream` is its place in the list.
struct StreamRead {
  int stream;
  double log_weight = 0;  ///< added to the logits of its keys
};

/// The place of the output, which is not in the list of inverted streams.
constexpr int kOutput = -1;

/// One image: the caller gives `clean`, invert() fills the rest.
struct StreamState {
  std::string name;                                   ///< for messages
  Tensor clean;                                       ///< (1, C, h, w)
  std::vector<StreamRead> reads;                      ///< during inversion
  std::vector<Tensor> trajectory;                     ///< [0] is clean, [i + 1] is at grid.timesteps[i]
  std::vector<KeyMemory> memory;                      ///< kept keys at each time; empty where they were not kept
  Window window = {};                                 ///< not empty: only this part is computed; the rest is copied from `around`
  int around = -1;                                    ///< place of the stream that surrounds the window; it is computed earlier
  std::vector<Surroundings> surroundings = {};        ///< at each time; filled if another stream has a window in this one
  bool is_read = true;                                ///< another stream or the output reads it, so its keys are kept
  size_t steps = std::numeric_limits<size_t>::max();  ///< number of steps of its inversion, from the clean end
};

enum class SamplingPhase { inversion, generation };

struct SamplingOptions {
  int iterations = 2;    ///< of the fixed point in each inversion step
  double tolerance = 0;  ///< stops a step's iterations below this residual
  /// true: streams that read only themselves are inverted first, the others read their kept keys. false: all streams
  /// share one batch, and generation computes the keys again.
  bool keep_keys = true;
  size_t memory_limit = 0;  ///< bytes of kept keys; keys of a time that do not fit are computed again in generation
  Span layers;              ///< self-attention sites where streams read each other, by AttentionSite::index
  Span times;               ///< timesteps at which they do
  /// Called after each pass through the UNet with the rows of its batch, and the passes done in this phase and in
  /// total. Reports progress. An exception from it cancels. May be empty.
  std::function<void(SamplingPhase phase, int rows, int done, int total)> after_pass;
};

/// Describes one pass through the UNet: the streams of its batch, at one step of the grid.
struct PassContext {
  const std::vector<StreamState>& streams;
  std::vector<int> rows;  ///< place of each batch row's stream
  size_t step;            ///< index into the time grid
  bool windowed;          ///< the pass runs in a window; otherwise over the whole canvas

  /// Returns the keys that `read` names: those of the stream's row in the batch, else its kept keys at this step.
  KeySource key_source(const StreamRead& read) const;
  /// Returns, for each row, the keys of the streams that it reads.
  std::vector<KeySources> shared_sources() const;
  /// Returns, for each row, its own keys only.
  std::vector<KeySources> own_sources() const;
  /// The rows' latents after `states` steps of inversion, stacked to (B, C, h, w).
  Tensor latents(size_t states) const;
};

}  // namespace geometry_transfer
