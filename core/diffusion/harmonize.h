// SPDX-License-Identifier: GPL-3.0-or-later
/// The method on tensors (arXiv 2408.10846): inversion with Texture-aligning Attention, latent blending, generation
/// with Geometry-preserving Attention. Takes latents of the images, returns clean latents of the result.
#pragma once

#include <vector>

#include "diffusion/generation.h"
#include "diffusion/inversion.h"
#include "geometry-transfer/request.h"

namespace geometry_transfer {

/// Clean latents (1, C, h, w) of the images that take part.
struct HarmonizeInput {
  Tensor target;
  Tensor geometry;               ///< of the edit
  std::vector<Tensor> sources;   ///< of the references without their placement; needed if the output reads `source`
  std::vector<Tensor> textures;  ///< more examples of the target's material; whoever reads the target reads them too
  std::vector<double> source_weights, texture_weights;  ///< weights of their keys, > 0; empty means 1 for all
  Tensor mask;                                          ///< (1, 1, h, w) latent mask of the placed geometry, [0,1]
  Window window = {};  ///< outside it the geometry equals the target and the mask is 0; empty: the whole canvas
};

struct HarmonizeResult {
  Tensor latents;                    ///< (1, C, h, w), clean
  std::vector<StreamState> streams;  ///< after inversion, for tests and reports
  std::vector<double> residuals;
};

/// True if this request is computed in the input's window. That needs the whole target restored at every step and its
/// keys kept.
bool runs_in_window(const HarmonizeInput& input, const Request& request);

/// Returns the self-attention sites on which the request's attentions act. Site i of `count` lies at depth (i + 1/2) /
/// count.
Span attended_layers(const Request& request, int count);
/// Returns the timesteps at which they act.
Span attended_times(const Request& request);
/// Returns the request with both attentions turned off if their range holds no depth or no time of the grid.
Request within_range(Request request, const TimeGrid& grid);

/// Returns the streams that this request inverts: target and geometry, and the sources and textures that they or the
/// output read.
std::vector<StreamState> make_streams(const HarmonizeInput& input, const Request& request);

/// Runs the method. Layers and times of `options` are replaced by those of the request.
/// Calls `after_step` (may be empty) with the output's latents after each generation step; tests use it.
HarmonizeResult harmonize(const HarmonizeInput& input, const Request& asked, const TimeGrid& grid,
                          const NoisePredictor& predictor, const SamplingOptions& options,
                          const std::function<void(const Tensor&)>& after_step = {});

}  // namespace geometry_transfer
