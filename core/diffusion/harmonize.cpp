// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/harmonize.h"

#include <cmath>

namespace geometry_transfer {
namespace {

/// Places in the list of streams: target, geometry, then sources and textures as far as they are read.
constexpr int kTarget = 0, kGeometry = 1;

struct Extra {
  int first = 0, count = 0;
};

Extra source_places(const HarmonizeInput& in, const Request& request) {
  return {2, request.output_reads.has(Stream::source) ? static_cast<int>(in.sources.size()) : 0};
}

Extra texture_places(const HarmonizeInput& in, const Request& request) {
  const Extra sources = source_places(in, request);
  return {sources.first + sources.count, static_cast<int>(in.textures.size())};
}

double log_weight(const std::vector<double>& weights, int i) { return weights.empty() ? 0 : std::log(weights[i]); }

/// The set of stream kinds that a request names, as reads of places. `self` stands for the reader.
std::vector<StreamRead> reads(StreamSet set, int self, const HarmonizeInput& in, const Request& request) {
  std::vector<StreamRead> made;
  if (set.has(Stream::source))
    for (int i = 0; i < source_places(in, request).count; ++i)
      made.push_back({source_places(in, request).first + i, log_weight(in.source_weights, i), {}});
  if (set.has(Stream::geometry)) made.push_back({kGeometry, 0, {}});
  if (set.has(Stream::target)) {
    made.push_back({kTarget, 0, {}});
    for (int i = 0; i < texture_places(in, request).count; ++i)
      made.push_back({texture_places(in, request).first + i, log_weight(in.texture_weights, i), {}});
  }
  if (set.has(Stream::output)) made.push_back({self, 0, {}});
  return made;
}

}  // namespace

bool runs_in_window(const HarmonizeInput& input, const Request& request) {
  return !input.window.empty() && request.reuse_keys && request.restore == 1;
}

std::vector<StreamState> make_streams(const HarmonizeInput& input, const Request& request) {
  std::vector<StreamState> streams;
  const auto add = [&](const char* name, const Tensor& clean) {
    const int place = static_cast<int>(streams.size());
    streams.push_back({name, clean, {{place, 0, {}}}, {}, {}});
  };
  add("target", input.target);
  add("geometry", input.geometry);
  for (int i = 0; i < source_places(input, request).count; ++i) add("source", input.sources[i]);
  for (const Tensor& texture : input.textures) add("texture", texture);
  streams[kGeometry].reads = reads(request.geometry_reads, kGeometry, input, request);
  if (runs_in_window(input, request)) {
    streams[kGeometry].window = input.window;
    streams[kGeometry].around = kTarget;
    streams[kGeometry].clean = input.window.pasted(input.target, input.window.cut(input.geometry));
  }
  return streams;
}

HarmonizeResult harmonize(const HarmonizeInput& input, const Request& request, const TimeGrid& grid,
                          const NoisePredictor& predictor, const WalkOptions& walk,
                          const std::function<void(const Tensor&)>& after_step) {
  HarmonizeResult result;
  result.streams = make_streams(input, request);
  result.residuals = invert(result.streams, grid, predictor, walk).residuals;

  const Tensor blended =
      input.mask * result.streams[kGeometry].trajectory.back() + (1 - input.mask) * result.streams[kTarget].trajectory.back();

  GenerationOptions options;
  options.reads = reads(request.output_reads, kOutput, input, request);
  options.mask = input.mask;
  options.restored_stream = kTarget;
  options.restore = request.restore;
  options.window = result.streams[kGeometry].window;
  result.latents = generate(blended, result.streams, grid, predictor, walk, options, after_step);
  return result;
}

}  // namespace geometry_transfer
