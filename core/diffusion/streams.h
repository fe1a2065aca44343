// SPDX-License-Identifier: GPL-3.0-or-later
/// Streams: images that walk the time grid side by side, and who reads whose keys and values.
///
///   inversion   source: {source}   target: {target}   geometry: {geometry, target}     Texture-aligning Attention
///   generation  output: {geometry, target}                                             Geometry-preserving Attention
///
/// Both attentions may be held to some layers and times; elsewhere a stream reads only itself.
///
/// A stream is a row of a batch while it is computed. Its keys and values at one time can be kept, and are then read from memory:
/// the stream need not be computed again.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "diffusion/attention.h"
#include "diffusion/window.h"

namespace geometry_transfer {

/// Whole numbers from `first` to `last`, both among them; the default holds all.
struct Span {
  int first = 0, last = std::numeric_limits<int>::max();
  bool holds(int i) const { return first <= i && i <= last; }
  bool operator==(const Span& o) const { return first == o.first && last == o.last; }
};

/// Keys and values of one stream at one time, every self-attention site. (1, N, C) each; undefined where they were dropped.
struct KeyMemory {
  std::vector<Tensor> k, v;
  bool empty() const { return k.empty(); }
  size_t bytes() const;
  /// Lets go of the sites outside `sites`.
  void drop_outside(const Span& sites);
};

/// Something a row reads: another row of the batch, or a stream's kept keys; with a log-weight on its keys.
struct KeySource {
  int row = -1;                       ///< of the batch, or
  const KeyMemory* memory = nullptr;  ///< kept keys
  double log_weight = 0;              ///< added to every logit: weights references against each other and against token counts
  Tensor weight_map;   ///< (1, 1, h, w) weight of each latent pixel, >= 0, pooled to each site's grid; or undefined
  Window window = {};  ///< not empty: its keys are those of a window, and
  const KeyMemory* around = nullptr;  ///< the keys of the picture that it equals outside
};

/// What one row reads. The order does not matter.
using Route = std::vector<KeySource>;

/// Routes each row's queries to the keys of its Route, and keeps the keys of rows that are asked for.
class StreamMixer : public SelfAttentionMixer {
 public:
  /// One route a row. keep[row]: where that row's keys and values go, or nullptr; may be shorter than the batch.
  explicit StreamMixer(std::vector<Route> routes, std::vector<KeyMemory*> keep = {});
  /// The same at the sites of `layers`; at the others the rows take `elsewhere`.
  StreamMixer(std::vector<Route> routes, std::vector<Route> elsewhere, const Span& layers, std::vector<KeyMemory*> keep = {});
  Tensor mix(const AttentionSite& site, const Tensor& q, const Tensor& k, const Tensor& v) const override;

 private:
  std::vector<Route> routes_, elsewhere_;
  Span layers_;
  std::vector<KeyMemory*> keep_;
};

}  // namespace geometry_transfer
