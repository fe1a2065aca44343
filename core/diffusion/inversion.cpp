// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/inversion.h"

#include <algorithm>
#include <optional>

namespace geometry_transfer {
namespace {

using Batch = std::vector<int>;  // indices into `streams`, solved in one UNet batch

bool reads_only_itself(const std::vector<StreamState>& streams, int index) {
  const std::vector<StreamRead>& reads = streams[index].reads;
  return std::all_of(reads.begin(), reads.end(), [index](const StreamRead& read) { return read.stream == index; });
}

/// Returns the batches of one step, in order. Each batch reads keys of itself and of earlier batches only. Streams with
/// a window come last.
std::vector<Batch> plan_batches(const std::vector<StreamState>& streams, bool keep_keys, size_t step) {
  Batch independent, dependent, windowed;
  for (int index = 0; index < static_cast<int>(streams.size()); ++index) {
    if (step >= streams[index].steps) continue;
    if (!streams[index].window.empty())
      windowed.push_back(index);
    else if (!keep_keys || reads_only_itself(streams, index))
      independent.push_back(index);
    else
      dependent.push_back(index);
  }
  std::vector<Batch> batches;
  for (const Batch& batch : {independent, dependent, windowed})
    if (!batch.empty()) batches.push_back(batch);
  return batches;
}

/// Returns the window inside stream `index` in which another stream is computed; empty if there is none.
Window window_inside(const std::vector<StreamState>& streams, int index) {
  for (const StreamState& stream : streams)
    if (!stream.window.empty() && stream.around == index) return stream.window;
  return {};
}

/// Returns the largest relative change of any row.
double residual(const Tensor& now, const Tensor& before) {
  const Tensor moved = (now - before).flatten(1).norm(2, 1), size = now.flatten(1).norm(2, 1).clamp_min(1e-12);
  return (moved / size).max().item<double>();
}

size_t memory_bytes(const std::vector<StreamState>& streams) {
  size_t sum = 0;
  for (const StreamState& stream : streams) {
    for (const KeyMemory& memory : stream.memory) sum += memory.bytes();
    for (const Surroundings& surroundings : stream.surroundings) sum += surroundings.bytes();
  }
  return sum;
}

/// State that all steps of one inversion share.
struct Inversion {
  std::vector<StreamState>& streams;
  const TimeGrid& grid;
  const NoisePredictor& predictor;
  const SamplingOptions& options;
  int done = 0, total = 0;  // planned UNet passes: iterations x batches

  /// Returns where each row's keys are kept at this step; nullptr for keys that nobody reads.
  std::vector<KeyMemory*> memories(const Batch& rows, size_t step, bool shared) const {
    std::vector<KeyMemory*> memories;
    if (!options.keep_keys) return memories;
    for (const int index : rows) {
      const bool needed = (shared && streams[index].is_read) || !window_inside(streams, index).empty();
      memories.push_back(needed ? &streams[index].memory[step] : nullptr);
    }
    return memories;
  }

  /// Returns the pass that the batch needs. In a window: one that reads the surroundings. Around another stream's
  /// window: one that records them. Otherwise nothing.
  std::optional<WindowPass> window_pass(const Batch& rows, size_t step) const {
    const StreamState& first = streams[rows[0]];
    if (!first.window.empty()) return WindowPass(streams[first.around].surroundings[step]);
    for (size_t row = 0; row < rows.size(); ++row)
      if (const Window window = window_inside(streams, rows[row]); !window.empty())
        return WindowPass(streams[rows[row]].surroundings[step], window, static_cast<int64_t>(row));
    return {};
  }

  /// Solves one step for one batch, and appends the latents to its streams' trajectories. Returns the residual.
  double solve(const Batch& rows, size_t step) {
    const Window window = streams[rows[0]].window;  // only one stream (geometry) has a window, so its batch has one row
    const bool shared = options.times.holds(grid.timesteps[step]);  // streams read each other at this timestep
    const PassContext pass{streams, rows, step, !window.empty()};
    const std::vector<KeySources> own = pass.own_sources();
    const StreamMixer mixer(shared ? pass.shared_sources() : own, own, options.layers, memories(rows, step, shared));
    const Tensor start = window.empty() ? pass.latents(step) : window.cut(pass.latents(step));
    Tensor z = start;
    double moved = 0;
    for (int k = 0; k < options.iterations; ++k) {
      std::optional<WindowPass> windowed = window_pass(rows, step);
      const Tensor noise = predictor(z, grid.timesteps[step], grid.alphas[step], mixer, windowed ? &*windowed : nullptr);
      const Tensor next = ddim_move(start, noise, grid.alpha_before(step), grid.alphas[step]);
      moved = residual(next, z);
      z = next;
      const bool solved = moved < options.tolerance;  // then the remaining iterations count as done
      if (options.after_pass)
        options.after_pass(SamplingPhase::inversion, static_cast<int>(rows.size()), done + (solved ? options.iterations : k + 1),
                           total);
      if (solved) break;
    }
    done += options.iterations;
    for (size_t row = 0; row < rows.size(); ++row) {
      StreamState& stream = streams[rows[row]];
      const Tensor latents = z.narrow(0, static_cast<int64_t>(row), 1);
      stream.trajectory.push_back(window.empty() ? latents
                                                 : window.pasted(streams[stream.around].trajectory.at(step + 1), latents));
    }
    return moved;
  }

  /// Frees the keys of this step that nobody will read. Frees all keys of this step if the keys of all steps exceed
  /// memory_limit.
  void drop_keys(size_t step) {
    // A window reads every site of its surroundings, so the stream that surrounds one keeps all sites.
    for (int index = 0; index < static_cast<int>(streams.size()); ++index)
      if (window_inside(streams, index).empty()) streams[index].memory[step].drop_outside(options.layers);
    if (memory_bytes(streams) <= options.memory_limit) return;
    for (StreamState& stream : streams) {
      stream.memory[step] = {};
      stream.surroundings[step] = {};
    }
  }
};

}  // namespace

InversionReport invert(std::vector<StreamState>& streams, const TimeGrid& grid, const NoisePredictor& predictor,
                       const SamplingOptions& options) {
  for (StreamState& stream : streams) {
    stream.trajectory = {stream.clean};
    stream.memory.assign(grid.size(), {});
    stream.surroundings.assign(grid.size(), {});
  }
  Inversion inversion{streams, grid, predictor, options};
  for (size_t step = 0; step < grid.size(); ++step)
    inversion.total += static_cast<int>(plan_batches(streams, options.keep_keys, step).size()) * options.iterations;
  InversionReport report;
  for (size_t step = 0; step < grid.size(); ++step) {
    double worst = 0;
    for (const Batch& batch : plan_batches(streams, options.keep_keys, step))
      worst = std::max(worst, inversion.solve(batch, step));
    report.residuals.push_back(worst);
    inversion.drop_keys(step);
  }
  return report;
}

}  // namespace geometry_transfer
