// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/inversion.h"

#include <algorithm>
#include <optional>

namespace geometry_transfer {
namespace {

bool independent(const std::vector<StreamState>& streams, int i) {
  return std::all_of(streams[i].reads.begin(), streams[i].reads.end(), [i](const StreamRead& r) { return r.stream == i; });
}

/// Streams that can be solved together at this time of the grid, in order: a wave reads itself and earlier waves only. Those that
/// walk in a window come last.
std::vector<std::vector<int>> waves(const std::vector<StreamState>& streams, bool keep_keys, size_t time) {
  std::vector<int> first, rest, windowed;
  for (int i = 0; i < static_cast<int>(streams.size()); ++i)
    if (time < streams[i].times)
      (!streams[i].window.empty() ? windowed : !keep_keys || independent(streams, i) ? first : rest).push_back(i);
  std::vector<std::vector<int>> made;
  for (auto& wave : {first, rest, windowed})
    if (!wave.empty()) made.push_back(wave);
  return made;
}

/// A read of `streams[read.stream]`, as it lies at this time. `row` of the batch, or -1: its kept keys. `windowed`: a pass over a
/// window, else all rows are whole pictures.
KeySource source(const std::vector<StreamState>& streams, const StreamRead& read, int row, size_t time, bool windowed) {
  const StreamState& stream = streams[read.stream];
  KeySource made{row, row < 0 ? &stream.memory.at(time) : nullptr, read.log_weight, read.weight_map, {}, nullptr};
  if (windowed && !stream.window.empty()) {
    made.window = stream.window;
    made.around = &streams[stream.around].memory.at(time);
  }
  return made;
}

/// The window that other streams have in stream `i`; empty where none has.
Window window_in(const std::vector<StreamState>& streams, int i) {
  for (const StreamState& s : streams)
    if (!s.window.empty() && s.around == i) return s.window;
  return {};
}

/// Routes of rows that read only themselves.
std::vector<Route> alone(const std::vector<StreamState>& streams, const std::vector<int>& rows, size_t time, bool windowed) {
  std::vector<Route> made;
  for (int i : rows) made.push_back({source(streams, {i, 0, {}}, static_cast<int>(made.size()), time, windowed)});
  return made;
}

/// Routes of the streams in `rows`: to each other where they share the batch, else to what was kept at this time.
std::vector<Route> routes(const std::vector<StreamState>& streams, const std::vector<int>& rows, size_t time, bool windowed) {
  std::vector<Route> made;
  for (int i : rows) {
    Route route;
    for (const StreamRead& read : streams[i].reads) {
      const auto here = std::find(rows.begin(), rows.end(), read.stream);
      route.push_back(source(streams, read, here != rows.end() ? static_cast<int>(here - rows.begin()) : -1, time, windowed));
    }
    made.push_back(std::move(route));
  }
  return made;
}

Tensor stack(const std::vector<StreamState>& streams, const std::vector<int>& rows, size_t time) {
  std::vector<Tensor> parts;
  for (int i : rows) parts.push_back(streams[i].trajectory.at(time));
  return at::cat(parts, 0);
}

double residual(const Tensor& now, const Tensor& before) {
  const Tensor moved = (now - before).flatten(1).norm(2, 1), size = now.flatten(1).norm(2, 1).clamp_min(1e-12);
  return (moved / size).max().item<double>();
}

size_t kept_bytes(const std::vector<StreamState>& streams) {
  size_t sum = 0;
  for (const StreamState& s : streams)
    for (const KeyMemory& m : s.memory) sum += m.bytes();
  for (const StreamState& s : streams)
    for (const Surroundings& around : s.surroundings) sum += around.bytes();
  return sum;
}

/// `wanted` and everything that they read, directly or not, by rising place.
std::vector<int> closure(const std::vector<StreamState>& streams, std::vector<int> wanted) {
  for (size_t i = 0; i < wanted.size(); ++i)
    for (const StreamRead& r : streams[wanted[i]].reads)
      if (std::find(wanted.begin(), wanted.end(), r.stream) == wanted.end()) wanted.push_back(r.stream);
  std::sort(wanted.begin(), wanted.end());
  return wanted;
}

}  // namespace

Tensor NoisePredictor::operator()(const Tensor& latents, int timestep, double alpha, const SelfAttentionMixer& mixer,
                                  WindowPass* pass) const {
  return predicted_noise(unet.forward(latents, timestep, context, mixer, pass), latents, alpha, type);
}

InversionReport invert(std::vector<StreamState>& streams, const TimeGrid& grid, const NoisePredictor& predictor,
                       const WalkOptions& options) {
  InversionReport report;
  for (StreamState& s : streams) {
    s.trajectory = {s.clean};
    s.memory.assign(grid.size(), {});
    s.surroundings.assign(grid.size(), {});
  }
  int done = 0, of = 0;
  for (size_t i = 0; i < grid.size(); ++i)
    of += static_cast<int>(waves(streams, options.keep_keys, i).size()) * options.iterations;
  for (size_t i = 0; i < grid.size(); ++i) {
    const bool reading = options.times.holds(grid.timesteps[i]);
    double worst = 0;
    for (const std::vector<int>& rows : waves(streams, options.keep_keys, i)) {
      const Window& window = streams[rows[0]].window;  // of the whole wave
      const auto around = [&]() -> StreamState& { return streams[streams[rows[0]].around]; };
      const Tensor start = window.empty() ? stack(streams, rows, i) : window.cut(stack(streams, rows, i));
      Tensor z = start;
      std::vector<KeyMemory*> keep;
      if (options.keep_keys)
        for (int s : rows) {
          const bool wanted = (reading && streams[s].read) || !window_in(streams, s).empty();
          keep.push_back(wanted ? &streams[s].memory[i] : nullptr);
        }
      const std::vector<Route> themselves = alone(streams, rows, i, !window.empty());
      const StreamMixer mixer(reading ? routes(streams, rows, i, !window.empty()) : themselves, themselves, options.layers, keep);
      double moved = 0;
      for (int k = 0; k < options.iterations; ++k) {
        std::optional<WindowPass> pass;
        if (!window.empty()) pass.emplace(around().surroundings[i]);
        for (size_t row = 0; row < rows.size() && !pass; ++row)
          if (const Window seen = window_in(streams, rows[row]); !seen.empty())
            pass.emplace(streams[rows[row]].surroundings[i], seen, static_cast<int64_t>(row));
        const Tensor noise = predictor(z, grid.timesteps[i], grid.alphas[i], mixer, pass ? &*pass : nullptr);
        const Tensor next = ddim_move(start, noise, grid.alpha_before(i), grid.alphas[i]);
        moved = residual(next, z);
        z = next;
        const bool solved = moved < options.tolerance;  // then what was left of this step's iterations counts as done
        if (options.after_call)
          options.after_call(Walk::inversion, static_cast<int>(rows.size()), done + (solved ? options.iterations : k + 1), of);
        if (solved) break;
      }
      done += options.iterations;
      worst = std::max(worst, moved);
      for (size_t row = 0; row < rows.size(); ++row) {
        const Tensor mine = z.narrow(0, row, 1);
        streams[rows[row]].trajectory.push_back(window.empty() ? mine : window.pasted(around().trajectory.at(i + 1), mine));
      }
    }
    report.residuals.push_back(worst);
    for (int s = 0; s < static_cast<int>(streams.size()); ++s)  // a window reads all of what lies round it
      if (window_in(streams, s).empty()) streams[s].memory[i].drop_outside(options.layers);
    if (kept_bytes(streams) > options.memory_limit)
      for (StreamState& s : streams) s.memory[i] = {}, s.surroundings[i] = {};
  }
  return report;
}

Tensor generate(const Tensor& noisy, const std::vector<StreamState>& streams, const TimeGrid& grid,
                const NoisePredictor& predictor, const WalkOptions& walk, const GenerationOptions& options,
                const std::function<void(const Tensor&)>& after_step) {
  const std::vector<StreamRead> itself{{kOutput, 0, {}}};
  Tensor out = noisy;
  for (size_t i = grid.size(); i-- > 0;) {
    const std::vector<StreamRead>& reads = walk.times.holds(grid.timesteps[i]) ? options.reads : itself;
    // What was kept is read from memory; the rest walks along in the same batch, on its stored trajectory.
    std::vector<int> missing;
    for (const StreamRead& r : reads)
      if (r.stream != kOutput && streams[r.stream].memory[i].empty() &&
          std::find(missing.begin(), missing.end(), r.stream) == missing.end())
        missing.push_back(r.stream);
    const std::vector<int> rows = closure(streams, missing);
    // In a window only where everything that it reads was kept, what lies round it too.
    const StreamState* around = nullptr;
    if (!options.window.empty() && rows.empty()) around = &streams[options.restored_stream];
    if (around && around->memory[i].empty()) around = nullptr;
    const auto part = [&](const Tensor& whole) { return around ? options.window.cut(whole) : whole; };
    const int self = static_cast<int>(rows.size());
    const auto route = [&](const std::vector<StreamRead>& from) {
      Route made;
      for (const StreamRead& r : from) {
        const auto here = std::find(rows.begin(), rows.end(), r.stream);
        if (r.stream == kOutput)
          made.push_back({self, nullptr, r.log_weight, r.weight_map, options.window, around ? &around->memory[i] : nullptr});
        else
          made.push_back(
              source(streams, r, here != rows.end() ? static_cast<int>(here - rows.begin()) : -1, i, around != nullptr));
      }
      return made;
    };
    std::vector<Route> all = routes(streams, rows, i, false), elsewhere = alone(streams, rows, i, false);
    all.push_back(route(reads));
    elsewhere.push_back(route(itself));

    std::optional<WindowPass> pass;
    if (around) pass.emplace(around->surroundings[i]);
    const Tensor batch = rows.empty() ? part(out) : at::cat({stack(streams, rows, i + 1), out}, 0);
    const StreamMixer mixer(std::move(all), std::move(elsewhere), walk.layers);
    const Tensor noise = predictor(batch, grid.timesteps[i], grid.alphas[i], mixer, pass ? &*pass : nullptr).narrow(0, self, 1);
    const Tensor moved = ddim_move(part(out), noise, grid.alphas[i], grid.alpha_before(i));
    out = around ? options.window.pasted(around->trajectory[i], moved) : moved;
    if (options.restored_stream >= 0 && options.restore > 0) {
      const Tensor share = (1 - options.mask) * options.restore;
      out =
          out * (1 - share) + streams[options.restored_stream].trajectory[i] * share;  // exactly the target where the share is 1
    }
    if (walk.after_call)
      walk.after_call(Walk::generation, self + 1, static_cast<int>(grid.size() - i), static_cast<int>(grid.size()));
    if (after_step) after_step(out);
  }
  return out;
}

}  // namespace geometry_transfer
