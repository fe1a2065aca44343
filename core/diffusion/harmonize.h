// SPDX-License-Identifier: GPL-3.0-or-later
/// The method on tensors (arXiv 2408.10846): inversion with Texture-aligning Attention, latent blending, generation with
/// Geometry-preserving Attention. Images in, clean latents of the result out.
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
  std::vector<Tensor> sources;   ///< of the references without their placement; needed where the output reads `source`
  std::vector<Tensor> textures;  ///< more examples of the target's material, read wherever the target is
  std::vector<double> source_weights, texture_weights;  ///< weights of their keys, > 0; empty means 1 for all
  Tensor mask;                                          ///< (1, 1, h, w) latent mask of the placed geometry, [0,1]
  Window window = {};  ///< outside it the geometry equals the target and the mask is 0; empty: the whole canvas
};

struct HarmonizeResult {
  Tensor latents;                    ///< (1, C, h, w), clean
  std::vector<StreamState> streams;  ///< after inversion, for tests and reports
  std::vector<double> residuals;
};

/// Whether this request is computed in the input's window. That needs the whole target restored at every step and its keys kept.
bool runs_in_window(const HarmonizeInput& input, const Request& request);

/// The self-attention sites, of `count`, where the request's attentions act: site i lies at depth (i + 1/2) / count.
Span attended_layers(const Request& request, int count);
/// The timesteps where they act.
Span attended_times(const Request& request);
/// The request with both attentions turned off where their range holds no depth or no time of the grid.
Request within_range(Request request, const TimeGrid& grid);

/// The streams that this request inverts: target and geometry, and the sources and textures that they or the output read.
std::vector<StreamState> make_streams(const HarmonizeInput& input, const Request& request);

/// Runs the method. The layers and times in `options` are replaced by the request's.
/// `after_step` gets the output's latents after each generation step, noisy to clean (tests); may be empty.
HarmonizeResult harmonize(const HarmonizeInput& input, const Request& asked, const TimeGrid& grid,
                          const NoisePredictor& predictor, const SamplingOptions& options,
                          const std::function<void(const Tensor&)>& after_step = {});

}  // namespace geometry_transfer
