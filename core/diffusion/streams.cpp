// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/streams.h"

namespace geometry_transfer {
namespace {

// A key of weight 0 is not removed but all but unseen: softmax over nothing but such keys stays defined.
constexpr double kLeastWeight = 1e-4;

/// The log-weights of one key source on a site's tokens (N,), or undefined where they are all 0.
Tensor key_bias(const KeySource& source, const AttentionSite& site) {
  if (!source.weight_map.defined()) {
    if (source.log_weight == 0) return {};
    return at::full({site.height * site.width}, source.log_weight, at::kFloat);
  }
  const Tensor weights = at::adaptive_avg_pool2d(source.weight_map, {site.height, site.width});
  return weights.flatten().clamp_min(kLeastWeight).log() + source.log_weight;
}

bool reads_only_itself(const std::vector<Route>& routes) {
  for (size_t row = 0; row < routes.size(); ++row) {
    const Route& r = routes[row];
    if (r.size() != 1 || r[0].row != static_cast<int>(row) || r[0].weight_map.defined()) return false;
  }
  return true;
}

}  // namespace

size_t KeyMemory::bytes() const {
  size_t sum = 0;
  for (const auto* list : {&k, &v})
    for (const Tensor& t : *list) sum += t.numel() * t.element_size();
  return sum;
}

StreamMixer::StreamMixer(std::vector<Route> routes, std::vector<KeyMemory*> keep)
    : routes_(std::move(routes)), keep_(std::move(keep)) {}

Tensor StreamMixer::mix(const AttentionSite& site, const Tensor& q, const Tensor& k, const Tensor& v) const {
  for (size_t row = 0; row < keep_.size(); ++row) {
    if (!keep_[row]) continue;
    KeyMemory& memory = *keep_[row];
    if (site.index == 0) memory = {};
    memory.k.push_back(k.narrow(0, row, 1).contiguous());
    memory.v.push_back(v.narrow(0, row, 1).contiguous());
  }
  if (reads_only_itself(routes_)) return attention(q, {{k, v, {}}}, site.heads);  // one call for the batch

  std::vector<Tensor> rows;
  for (size_t row = 0; row < routes_.size(); ++row) {
    std::vector<KeyBlock> blocks;
    for (const KeySource& source : routes_[row]) {
      const Tensor bias = key_bias(source, site);
      if (source.memory)
        blocks.push_back({source.memory->k.at(site.index), source.memory->v.at(site.index), bias});
      else
        blocks.push_back({k.narrow(0, source.row, 1), v.narrow(0, source.row, 1), bias});
    }
    rows.push_back(attention(q.narrow(0, row, 1), blocks, site.heads));
  }
  return rows.size() == 1 ? rows[0] : at::cat(rows, 0);
}

}  // namespace geometry_transfer
