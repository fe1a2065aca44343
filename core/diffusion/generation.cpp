// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/generation.h"

#include <algorithm>
#include <optional>

namespace geometry_transfer {
namespace {

bool contains(const std::vector<int>& places, int place) {
  return std::find(places.begin(), places.end(), place) != places.end();
}

/// Returns the streams whose keys are read but were not kept, with all streams that they read, in rising order. They
/// are computed again in one batch with the output.
std::vector<int> recomputed_streams(const std::vector<StreamState>& streams, const std::vector<StreamRead>& reads, size_t step) {
  std::vector<int> places;
  for (const StreamRead& read : reads)
    if (read.stream != kOutput && streams[read.stream].memory[step].empty() && !contains(places, read.stream))
      places.push_back(read.stream);
  for (size_t i = 0; i < places.size(); ++i)
    for (const StreamRead& read : streams[places[i]].reads)
      if (!contains(places, read.stream)) places.push_back(read.stream);
  std::sort(places.begin(), places.end());
  return places;
}

}  // namespace

Tensor generate(const Tensor& noisy, const std::vector<StreamState>& streams, const TimeGrid& grid,
                const NoisePredictor& predictor, const SamplingOptions& sampling, const GenerationOptions& options,
                const std::function<void(const Tensor&)>& after_step) {
  const std::vector<StreamRead> itself{{kOutput}};
  const int steps = static_cast<int>(grid.size());
  Tensor out = noisy;
  for (size_t i = grid.size(); i-- > 0;) {
    const std::vector<StreamRead>& reads = sampling.times.holds(grid.timesteps[i]) ? options.reads : itself;
    const std::vector<int> rows = recomputed_streams(streams, reads, i);
    const int output_row = static_cast<int>(rows.size());
    // A window needs the kept keys of all streams that it reads and of the stream around it.
    const StreamState* around = nullptr;
    if (!options.window.empty() && rows.empty() && !streams[options.restored_stream].memory[i].empty())
      around = &streams[options.restored_stream];
    const auto inside = [&](const Tensor& whole) { return around ? options.window.cut(whole) : whole; };

    const PassContext pass{streams, rows, i, around != nullptr};
    const auto output_sources = [&](const std::vector<StreamRead>& from) {
      KeySources sources;
      for (const StreamRead& read : from)
        if (read.stream == kOutput)
          sources.push_back({output_row, nullptr, read.log_weight, options.window, around ? &around->memory[i] : nullptr});
        else
          sources.push_back(pass.key_source(read));
      return sources;
    };
    std::vector<KeySources> shared = pass.shared_sources(), own = pass.own_sources();
    shared.push_back(output_sources(reads));
    own.push_back(output_sources(itself));
    const StreamMixer mixer(std::move(shared), std::move(own), sampling.layers);

    std::optional<WindowPass> windowed;
    if (around) windowed.emplace(around->surroundings[i]);
    const Tensor batch = rows.empty() ? inside(out) : at::cat({pass.latents(i + 1), out}, 0);
    const Tensor noise =
        predictor(batch, grid.timesteps[i], grid.alphas[i], mixer, windowed ? &*windowed : nullptr).narrow(0, output_row, 1);
    const Tensor moved = ddim_move(inside(out), noise, grid.alphas[i], grid.alpha_before(i));
    out = around ? options.window.pasted(around->trajectory[i], moved) : moved;
    if (options.restored_stream >= 0 && options.restore > 0) {
      // If the share is 1, the result is exactly the restored stream.
      const Tensor share = (1 - options.mask) * options.restore;
      out = out * (1 - share) + streams[options.restored_stream].trajectory[i] * share;
    }
    if (sampling.after_pass) sampling.after_pass(SamplingPhase::generation, output_row + 1, steps - static_cast<int>(i), steps);
    if (after_step) after_step(out);
  }
  return out;
}

}  // namespace geometry_transfer
