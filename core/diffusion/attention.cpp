// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/attention.h"

#include <torch/version.h>

#include <cmath>

#include "diffusion/kernels/tiled_attention.h"

namespace geometry_transfer {
namespace {

Tensor split_heads(const Tensor& x, int64_t heads) {
  return x.reshape({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

/// Joins the three projections, so that one matrix product replaces three.
Linear fused_qkv(const Weights& weights, int64_t channels) {
  const auto part = [&](const char* name) { return weights[name].matrix("weight", {channels, channels}); };
  return Linear(at::cat({part("to_q"), part("to_k"), part("to_v")}, 0), Tensor(), weights);
}

/// Attention by libtorch's operators over all keys at once. Used on devices and types without an own kernel.
Tensor plain_attention(const Tensor& q, const std::vector<KeyBlock>& blocks, int64_t heads) {
  std::vector<Tensor> ks, vs, biases;
  bool biased = false;
  for (const KeyBlock& b : blocks) {
    ks.push_back(b.k.expand({q.size(0), -1, -1}));
    vs.push_back(b.v.expand({q.size(0), -1, -1}));
    biases.push_back(b.bias.defined() ? b.bias.to(q.device()) : at::zeros({b.k.size(1)}, q.options().dtype(at::kFloat)));
    biased = biased || b.bias.defined();
  }
  const Tensor k = split_heads(at::cat(ks, 1), heads), v = split_heads(at::cat(vs, 1), heads);
  const Tensor bias = biased ? at::cat(biases, 0).to(q.scalar_type()) : Tensor();
#if TORCH_VERSION_MAJOR >= 2
  // One kernel that never holds all logits and sums them in fp32 for any type of q. The logits of SD 2.x overflow in
  // fp16.
  const Tensor queries = split_heads(q, heads);
  const Tensor mixed = biased ? at::scaled_dot_product_attention(queries, k, v, bias.reshape({1, 1, 1, -1}))
                              : at::scaled_dot_product_attention(queries, k, v);
  return mixed.transpose(1, 2).reshape(q.sizes());
#else
  constexpr int64_t kQueries = 1024;  // computed at once; all logits of a large picture would not fit
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(2) / heads));
  std::vector<Tensor> mixed;
  for (const Tensor& some : (split_heads(q, heads) * scale).split(kQueries, 2)) {
    Tensor logits = at::matmul(some, k.transpose(-1, -2));
    if (biased) logits = logits + bias;
    mixed.push_back(at::matmul(logits.softmax(-1), v));
  }
  return at::cat(mixed, 2).transpose(1, 2).reshape(q.sizes());
#endif
}

}  // namespace

Tensor attention(const Tensor& q, const std::vector<KeyBlock>& blocks, int64_t heads) {
  if (!can_tile(q)) return plain_attention(q, blocks, heads);
  Tensor out = at::empty(q.sizes(), q.options());
  for (int64_t b = 0; b < q.size(0); ++b) {
    std::vector<KeyTile> keys;
    for (const KeyBlock& block : blocks) {
      const int64_t row = block.k.size(0) == 1 ? 0 : b;
      keys.push_back({block.k[row], block.v[row], block.bias});
    }
    Tensor mixed = out[b];
    tiled_attention(q[b], keys, heads, mixed);
  }
  return out;
}

Tensor PlainMixer::mix(const AttentionSite& site, const Tensor& q, const Tensor& k, const Tensor& v) const {
  return attention(q, {{k, v, {}}}, site.heads);
}

SelfAttention::SelfAttention(const Weights& weights, int64_t channels, int64_t heads, SiteCounter& sites)
    : index_(sites.self++),
      heads_(heads),
      to_qkv_(fused_qkv(weights, channels)),
      to_out_(weights["to_out"][0], channels, channels) {}

Tensor SelfAttention::operator()(const Tensor& x, int64_t height, int64_t width, const SelfAttentionMixer& mixer,
                                 const Tensor& add) const {
  const std::vector<Tensor> qkv = to_qkv_(x).chunk(3, -1);
  return to_out_(mixer.mix({index_, heads_, height, width}, qkv[0], qkv[1], qkv[2]), add);
}

CrossAttention::CrossAttention(const Weights& weights, int64_t channels, int64_t context_channels, int64_t heads,
                               SiteCounter& sites)
    : index_(sites.cross++),
      heads_(heads),
      to_q_(weights["to_q"], channels, channels, false),
      to_k_(weights["to_k"], context_channels, channels, false),
      to_v_(weights["to_v"], context_channels, channels, false),
      to_out_(weights["to_out"][0], channels, channels) {}

CrossKeys CrossAttention::keys(const Tensor& context) const {
  CrossKeys keys{to_k_(context), to_v_(context), {}};
  if (context.size(1) == 1) keys.constant = to_out_(keys.v);
  return keys;
}

Tensor CrossAttention::operator()(const Tensor& x, const CrossKeys& keys, const Tensor& add) const {
  return to_out_(attention(to_q_(x), {{keys.k, keys.v, {}}}, heads_), add);
}

}  // namespace geometry_transfer
