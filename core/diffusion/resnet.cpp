// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/resnet.h"

#include "diffusion/window.h"

namespace geometry_transfer {

ResnetBlock::ResnetBlock(const Weights& weights, int64_t in, int64_t out, int64_t time_channels, int64_t groups, double eps)
    : norm1_(weights["norm1"], groups, in, eps, Activation::silu),
      conv1_(weights["conv1"], in, out, 3, 1, 1),
      norm2_(weights["norm2"], groups, out, eps, Activation::silu),
      conv2_(weights["conv2"], out, out, 3, 1, 1) {
  if (time_channels) time_emb_proj_.emplace(weights["time_emb_proj"], time_channels, out);
  if (in != out) conv_shortcut_.emplace(weights["conv_shortcut"], in, out, 1);
}

Tensor ResnetBlock::operator()(const Tensor& x, const Tensor& time, WindowPass* pass) const {
  Tensor h;
  if (!time_emb_proj_) {
    h = conv1_(norm1_(x, pass), {}, {}, pass);
  } else if (time.size(0) == 1) {
    h = conv1_(norm1_(x, pass), {}, (*time_emb_proj_)(time)[0],
               pass);  // all rows have the same time, so it acts as a second bias
  } else {
    h = conv1_(norm1_(x, pass), {}, {}, pass) + (*time_emb_proj_)(time).unsqueeze(-1).unsqueeze(-1);
  }
  return conv2_(norm2_(h, pass), conv_shortcut_ ? (*conv_shortcut_)(x) : x, {}, pass);
}

Upsample::Upsample(const Weights& weights, int64_t channels) : conv_(weights["conv"], channels, channels, 3, 1, 1) {}

Tensor Upsample::operator()(const Tensor& x, at::OptionalIntArrayRef size, WindowPass* pass) const {
  const int64_t doubled[] = {x.size(2) * 2, x.size(3) * 2};
  return conv_(at::upsample_nearest2d(x, size ? *size : at::IntArrayRef(doubled)), {}, {}, pass);
}

Downsample::Downsample(const Weights& weights, int64_t channels, int64_t padding)
    : conv_(weights["conv"], channels, channels, 3, 2, padding), padding_(padding) {}

Tensor Downsample::operator()(const Tensor& x, WindowPass* pass) const {
  if (padding_) return conv_(x, {}, {}, pass);
  if (pass && !pass->records()) return conv_(pass->with_halo(x).slice(2, 1).slice(3, 1));
  if (pass) pass->record_halo(x);
  return conv_(at::constant_pad_nd(x, {0, 1, 0, 1}));
}

}  // namespace geometry_transfer
