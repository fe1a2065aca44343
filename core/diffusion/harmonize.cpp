// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/harmonize.h"

#include <algorithm>
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
  const bool read = request.geometry_reads.has(Stream::target) || request.output_reads.has(Stream::target);
  return {sources.first + sources.count, read ? static_cast<int>(in.textures.size()) : 0};
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
  for (int i = 0; i < texture_places(input, request).count; ++i) add("texture", input.textures[i]);
  streams[kGeometry].reads = reads(request.geometry_reads, kGeometry, input, request);
  for (StreamState& s : streams) s.read = false;
  for (const StreamRead& r : streams[kGeometry].reads) streams[r.stream].read |= r.stream != kGeometry;
  for (const StreamRead& r : reads(request.output_reads, kOutput, input, request))
    if (r.stream != kOutput) streams[r.stream].read = true;
  if (runs_in_window(input, request)) {
    streams[kGeometry].window = input.window;
    streams[kGeometry].around = kTarget;
    streams[kGeometry].clean = input.window.pasted(input.target, input.window.cut(input.geometry));
  }
  return streams;
}

Span attended_layers(const Request& request, int count) {
  Span span{0, -1};
  for (int i = 0; i < count; ++i) {
    const double depth = (i + 0.5) / count;
    if (depth < request.attention_from_layer || depth >= request.attention_to_layer) continue;
    if (span.last < 0) span.first = i;
    span.last = i;
  }
  return span;
}

Span attended_times(const Request& request) { return {request.attention_from_noise, request.attention_to_noise}; }

Request within_range(Request request, const TimeGrid& grid) {
  const Span times = attended_times(request);
  if (request.attention_from_layer >= request.attention_to_layer ||
      std::none_of(grid.timesteps.begin(), grid.timesteps.end(), [&](int t) { return times.holds(t); })) {
    request.geometry_reads = {static_cast<unsigned>(Stream::geometry)};
    request.output_reads = {static_cast<unsigned>(Stream::output)};
  }
  return request;
}

HarmonizeResult harmonize(const HarmonizeInput& input, const Request& asked, const TimeGrid& grid,
                          const NoisePredictor& predictor, const WalkOptions& options,
                          const std::function<void(const Tensor&)>& after_step) {
  const Request request = within_range(asked, grid);
  WalkOptions walk = options;
  walk.layers = attended_layers(request, predictor.unet.self_attention_sites());
  walk.times = attended_times(request);

  HarmonizeResult result;
  result.streams = make_streams(input, request);
  const auto attended = [&](int t) { return walk.times.holds(t); };
  const auto last = std::find_if(grid.timesteps.rbegin(), grid.timesteps.rend(), attended);
  for (size_t i = kGeometry + 1; i < result.streams.size(); ++i)  // sources and textures walk no further than they are read
    result.streams[i].times = static_cast<size_t>(grid.timesteps.rend() - last);
  result.residuals = invert(result.streams, grid, predictor, walk).residuals;

  const Tensor blended =
      input.mask * result.streams[kGeometry].trajectory.back() + (1 - input.mask) * result.streams[kTarget].trajectory.back();

  GenerationOptions generation;
  generation.reads = reads(request.output_reads, kOutput, input, request);
  generation.mask = input.mask;
  generation.restored_stream = kTarget;
  generation.restore = request.restore;
  generation.window = result.streams[kGeometry].window;
  result.latents = generate(blended, result.streams, grid, predictor, walk, generation, after_step);
  return result;
}

}  // namespace geometry_transfer
