// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/harmonize.h"

#include <algorithm>
#include <cmath>

namespace geometry_transfer {
namespace {

/// Places in the list of streams: target, geometry, then the sources and textures that are read.
constexpr int kTarget = 0, kGeometry = 1;

/// A range of places in the list of streams.
struct Places {
  int first = 0, count = 0;
};

Places source_places(const HarmonizeInput& in, const Request& request) {
  return {2, request.output_reads.has(Stream::source) ? static_cast<int>(in.sources.size()) : 0};
}

Places texture_places(const HarmonizeInput& in, const Request& request) {
  const Places sources = source_places(in, request);
  const bool read = request.geometry_reads.has(Stream::target) || request.output_reads.has(Stream::target);
  return {sources.first + sources.count, read ? static_cast<int>(in.textures.size()) : 0};
}

double log_weight(const std::vector<double>& weights, int i) { return weights.empty() ? 0 : std::log(weights[i]); }

/// Converts the kinds of streams that a request names to places in the list. `self` is the place of the reader.
std::vector<StreamRead> stream_reads(StreamSet set, int self, const HarmonizeInput& in, const Request& request) {
  std::vector<StreamRead> reads;
  if (set.has(Stream::source))
    for (int i = 0; i < source_places(in, request).count; ++i)
      reads.push_back({source_places(in, request).first + i, log_weight(in.source_weights, i)});
  if (set.has(Stream::geometry)) reads.push_back({kGeometry});
  if (set.has(Stream::target)) {
    reads.push_back({kTarget});
    for (int i = 0; i < texture_places(in, request).count; ++i)
      reads.push_back({texture_places(in, request).first + i, log_weight(in.texture_weights, i)});
  }
  if (set.has(Stream::output)) reads.push_back({self});
  return reads;
}

}  // namespace

bool runs_in_window(const HarmonizeInput& input, const Request& request) {
  return !input.window.empty() && request.reuse_keys && request.restore == 1;
}

std::vector<StreamState> make_streams(const HarmonizeInput& input, const Request& request) {
  std::vector<StreamState> streams;
  const auto add = [&](const char* name, const Tensor& clean) {
    const int place = static_cast<int>(streams.size());
    streams.push_back({name, clean, {{place}}, {}, {}});
  };
  add("target", input.target);
  add("geometry", input.geometry);
  for (int i = 0; i < source_places(input, request).count; ++i) add("source", input.sources[i]);
  for (int i = 0; i < texture_places(input, request).count; ++i) add("texture", input.textures[i]);
  streams[kGeometry].reads = stream_reads(request.geometry_reads, kGeometry, input, request);
  for (StreamState& s : streams) s.is_read = false;
  for (const StreamRead& r : streams[kGeometry].reads) streams[r.stream].is_read |= r.stream != kGeometry;
  for (const StreamRead& r : stream_reads(request.output_reads, kOutput, input, request))
    if (r.stream != kOutput) streams[r.stream].is_read = true;
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
                          const NoisePredictor& predictor, const SamplingOptions& options,
                          const std::function<void(const Tensor&)>& after_step) {
  const Request request = within_range(asked, grid);
  SamplingOptions sampling = options;
  sampling.layers = attended_layers(request, predictor.unet.self_attention_sites());
  sampling.times = attended_times(request);

  HarmonizeResult result;
  result.streams = make_streams(input, request);
  const auto attended = [&](int t) { return sampling.times.holds(t); };
  const auto last = std::find_if(grid.timesteps.rbegin(), grid.timesteps.rend(), attended);
  for (size_t i = kGeometry + 1; i < result.streams.size();
       ++i)  // sources and textures are inverted only as far as they are read
    result.streams[i].steps = static_cast<size_t>(grid.timesteps.rend() - last);
  result.residuals = invert(result.streams, grid, predictor, sampling).residuals;

  const Tensor blended =
      input.mask * result.streams[kGeometry].trajectory.back() + (1 - input.mask) * result.streams[kTarget].trajectory.back();

  GenerationOptions generation;
  generation.reads = stream_reads(request.output_reads, kOutput, input, request);
  generation.mask = input.mask;
  generation.restored_stream = kTarget;
  generation.restore = request.restore;
  generation.window = result.streams[kGeometry].window;
  result.latents = generate(blended, result.streams, grid, predictor, sampling, generation, after_step);
  return result;
}

}  // namespace geometry_transfer
