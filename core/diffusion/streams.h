// SPDX-License-Identifier: GPL-3.0-or-later
/// Streams: images that are inverted side by side, and which stream reads whose keys and values.
///
///   inversion   source: {source}   target: {target}   geometry: {geometry, target}     Texture-aligning Attention
///   generation  output: {geometry, target}                                             Geometry-preserving Attention
///
/// Both attentions can be limited to some layers and times; elsewhere a stream reads only itself.
///
/// While a stream is computed, it is one row of a batch. Its keys and values at one time can be kept. Other streams
/// then read them from memory, and the stream is not computed again.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "diffusion/attention.h"
#include "diffusion/window.h"

namespace geometry_transfer {

/// The whole numbers from `first` to `last`, both included. The default holds all.
struct Span {
  int first = 0, last = std::numeric_limits<int>::max();
  bool holds(int i) const { return first <= i && i <= last; }
  bool operator==(const Span& o) const { return first == o.first && last == o.last; }
};

/// Keys and values of one stream at one time, for every self-attention site. (1, N, C) each; undefined after they were
/// dropped.
struct KeyMemory {
  std::vector<Tensor> k, v;
  bool empty() const { return k.empty(); }
  size_t bytes() const;
  /// Frees the sites outside `sites`.
  void drop_outside(const Span& sites);
};

/// The keys that a row reads: those of a row of the batch, or the kept keys of a stream.
struct KeySource {
  int row = -1;                       ///< row of the batch; -1: use `memory`
  const KeyMemory* memory = nullptr;  ///< kept keys
  double log_weight = 0;              ///< added to every logit, to weight references against each other
  Window window = {};                 ///< not empty: `row` holds the keys of this window only
  const KeyMemory* around = nullptr;  ///< with `window`: the keys of the stream that surrounds it
};

/// All keys that one row reads, in any order.
using KeySources = std::vector<KeySource>;

/// Lets each row's queries attend to the keys of its KeySources. Keeps the keys of chosen rows.
class StreamMixer : public SelfAttentionMixer {
 public:
  /// `sources` has one entry for each row. keep[row] receives that row's keys and values; nullptr keeps none. `keep`
  /// may be shorter than the batch.
  explicit StreamMixer(std::vector<KeySources> sources, std::vector<KeyMemory*> keep = {});
  /// The same at the sites of `layers`. At all other sites the rows read `elsewhere`.
  StreamMixer(std::vector<KeySources> sources, std::vector<KeySources> elsewhere, const Span& layers,
              std::vector<KeyMemory*> keep = {});
  Tensor mix(const AttentionSite& site, const Tensor& q, const Tensor& k, const Tensor& v) const override;

 private:
  std::vector<KeySources> sources_, elsewhere_;
  Span layers_;
  std::vector<KeyMemory*> keep_;
};

}  // namespace geometry_transfer
