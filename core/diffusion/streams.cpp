// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/streams.h"

#include <cmath>
#include <utility>

namespace geometry_transfer {
namespace {

/// Returns the log-weight of each of the `count` tokens of one key source; undefined if all are 0.
Tensor key_bias(const KeySource& source, int64_t count) {
  if (source.log_weight == 0) return {};
  return at::full({count}, source.log_weight, at::kFloat);
}

/// Kept keys of whole streams that surround windows. Each stream is one block. The weight of a token says how often it
/// is read.
class SurroundingKeys {
 public:
  SurroundingKeys(const KeySources& sources, const AttentionSite& site) : site_(site) {
    for (const KeySource& source : sources)
      if (source.around) {
        const Window& w = source.window;
        const int64_t height = site.height * w.canvas_height / w.height, width = site.width * w.canvas_width / w.width;
        weights_of(source.around) += std::exp(source.log_weight) * w.outside(height, width).to(at::kFloat);
      }
  }

  /// True if `source` reads one of these streams as a whole. Its weight is then added to that block.
  bool absorbs(const KeySource& source) {
    for (auto& [memory, weights] : read_)
      if (memory == source.memory && !source.around) {
        weights += std::exp(source.log_weight);
        return true;
      }
    return false;
  }

  void add_to(std::vector<KeyBlock>& blocks) const {
    for (const auto& [memory, weights] : read_)
      blocks.push_back({memory->k.at(site_.index), memory->v.at(site_.index), weights.clamp_min(kNone).log()});
  }

 private:
  static constexpr double kNone = 1e-30;  // the weight of a token that is not read; its share is 0 in fp32

  Tensor& weights_of(const KeyMemory* memory) {
    for (auto& [known, weights] : read_)
      if (known == memory) return weights;
    read_.emplace_back(memory, at::zeros({memory->k.at(site_.index).size(1)}, at::kFloat));
    return read_.back().second;
  }

  const AttentionSite& site_;
  std::vector<std::pair<const KeyMemory*, Tensor>> read_;
};

bool every_row_reads_itself(const std::vector<KeySources>& sources) {
  for (size_t row = 0; row < sources.size(); ++row) {
    const KeySources& r = sources[row];
    if (r.size() != 1 || r[0].row != static_cast<int>(row) || r[0].around) return false;
  }
  return true;
}

}  // namespace

size_t KeyMemory::bytes() const {
  size_t sum = 0;
  for (const auto* list : {&k, &v})
    for (const Tensor& t : *list)
      if (t.defined()) sum += t.numel() * t.element_size();
  return sum;
}

void KeyMemory::drop_outside(const Span& sites) {
  for (auto* list : {&k, &v})
    for (size_t i = 0; i < list->size(); ++i)
      if (!sites.holds(static_cast<int>(i))) (*list)[i] = Tensor();
}

StreamMixer::StreamMixer(std::vector<KeySources> sources, std::vector<KeyMemory*> keep)
    : sources_(std::move(sources)), keep_(std::move(keep)) {}

StreamMixer::StreamMixer(std::vector<KeySources> sources, std::vector<KeySources> elsewhere, const Span& layers,
                         std::vector<KeyMemory*> keep)
    : sources_(std::move(sources)), elsewhere_(std::move(elsewhere)), layers_(layers), keep_(std::move(keep)) {}

Tensor StreamMixer::mix(const AttentionSite& site, const Tensor& q, const Tensor& k, const Tensor& v) const {
  for (size_t row = 0; row < keep_.size(); ++row) {
    if (!keep_[row]) continue;
    KeyMemory& memory = *keep_[row];
    if (site.index == 0) memory = {};
    memory.k.push_back(k.narrow(0, row, 1).contiguous());
    memory.v.push_back(v.narrow(0, row, 1).contiguous());
  }
  const std::vector<KeySources>& sources = layers_.holds(site.index) ? sources_ : elsewhere_;
  if (every_row_reads_itself(sources)) return attention(q, {{k, v, {}}}, site.heads);  // one call for the whole batch

  std::vector<Tensor> rows;
  for (size_t row = 0; row < sources.size(); ++row) {
    std::vector<KeyBlock> blocks;
    SurroundingKeys around(sources[row], site);
    for (const KeySource& source : sources[row]) {
      if (around.absorbs(source)) continue;
      const Tensor keys = source.memory ? source.memory->k.at(site.index) : k.narrow(0, source.row, 1);
      const Tensor values = source.memory ? source.memory->v.at(site.index) : v.narrow(0, source.row, 1);
      blocks.push_back({keys, values, key_bias(source, keys.size(1))});
    }
    around.add_to(blocks);
    rows.push_back(attention(q.narrow(0, row, 1), blocks, site.heads));
  }
  return rows.size() == 1 ? rows[0] : at::cat(rows, 0);
}

}  // namespace geometry_transfer
