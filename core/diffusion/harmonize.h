// SPDX-License-Identifier: GPL-3.0-or-later
/// The method on tensors (arXiv 2408.10846): inversion with Texture-aligning Attention, latent blending, generation with
/// Geometry-preserving Attention. Images in, clean latents of the result out.
#pragma once

#include <vector>

#include "diffusion/inversion.h"
#include "geometry-transfer/request.h"

namespace geometry_transfer {

/// Clean latents (1, C, h, w) of the images that take part.
struct HarmonizeInput {
  Tensor target;
  Tensor geometry;               ///< of the edit
  std::vector<Tensor> sources;   ///< of the references as they lie; only needed where the output reads `source`
  std::vector<Tensor> textures;  ///< more examples of the target's material, read wherever the target is
  std::vector<double> source_weights, texture_weights;  ///< of their keys, > 0; empty: 1
  Tensor mask;                                          ///< (1, 1, h, w) latent mask of the placed geometry, [0,1]
  Window window = {};  ///< outside it the geometry equals the target and the mask is 0: what differs can be computed inside it
                       ///< alone; empty: everywhere
};

struct HarmonizeResult {
  Tensor latents;                    ///< (1, C, h, w), clean
  std::vector<StreamState> streams;  ///< as they walked: for tests and reports
  std::vector<double> residuals;
};

/// Whether this request walks in the input's window: outside it the output must be the target at every step, and the target's
/// keys must be kept.
bool runs_in_window(const HarmonizeInput& input, const Request& request);

/// The self-attention sites, of `count`, where the request's attentions act: site i lies at depth (i + 1/2) / count.
Span attended_layers(const Request& request, int count);
/// The timesteps where they act.
Span attended_times(const Request& request);
/// The request with both attentions off where their range holds no depth or no time of the grid: then nobody need be read.
Request within_range(Request request, const TimeGrid& grid);

/// The streams that this request computes: those that the output or the geometry reads, the geometry and the target.
std::vector<StreamState> make_streams(const HarmonizeInput& input, const Request& request);

/// `options`: but for the layers and times, which are the request's.
/// `after_step`: the output's latents after each generation step, noisy to clean (tests); may be empty.
HarmonizeResult harmonize(const HarmonizeInput& input, const Request& asked, const TimeGrid& grid,
                          const NoisePredictor& predictor, const WalkOptions& options,
                          const std::function<void(const Tensor&)>& after_step = {});

}  // namespace geometry_transfer
