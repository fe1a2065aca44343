// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/sampling.h"

#include <algorithm>

namespace geometry_transfer {

Tensor NoisePredictor::operator()(const Tensor& latents, int timestep, double alpha, const SelfAttentionMixer& mixer,
                                  WindowPass* pass) const {
  return predicted_noise(unet.forward(latents, timestep, context, mixer, pass), latents, alpha, type);
}

KeySource PassContext::key_source(const StreamRead& read) const {
  const StreamState& stream = streams[read.stream];
  const auto found = std::find(rows.begin(), rows.end(), read.stream);
  KeySource source;
  source.log_weight = read.log_weight;
  if (found != rows.end())
    source.row = static_cast<int>(found - rows.begin());
  else
    source.memory = &stream.memory.at(step);
  if (windowed && !stream.window.empty()) {
    source.window = stream.window;
    source.around = &streams[stream.around].memory.at(step);
  }
  return source;
}

std::vector<KeySources> PassContext::shared_sources() const {
  std::vector<KeySources> sources;
  for (const int place : rows) {
    KeySources& of_row = sources.emplace_back();
    for (const StreamRead& read : streams[place].reads) of_row.push_back(key_source(read));
  }
  return sources;
}

std::vector<KeySources> PassContext::own_sources() const {
  std::vector<KeySources> sources;
  for (const int place : rows) sources.push_back({key_source({place})});
  return sources;
}

Tensor PassContext::latents(size_t states) const {
  std::vector<Tensor> parts;
  for (const int place : rows) parts.push_back(streams[place].trajectory.at(states));
  return at::cat(parts, 0);
}

}  // namespace geometry_transfer
