// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/window.h"

#include <algorithm>

#include "diffusion/kernels/halo.h"

namespace geometry_transfer {
namespace {

/// A window with a larger share of the canvas saves less than its halos and smaller products cost.
constexpr double kMostShare = 0.8;

}  // namespace

Window Window::at(int64_t height_there, int64_t width_there) const {
  const auto down = [&](int64_t n) { return n * height_there / canvas_height; };
  const auto across = [&](int64_t n) { return n * width_there / canvas_width; };
  return {down(top), across(left), down(height), across(width), height_there, width_there};
}

at::Tensor Window::cut(const at::Tensor& whole) const {
  const Window w = at(whole.size(2), whole.size(3));
  return whole.narrow(2, w.top, w.height).narrow(3, w.left, w.width);
}

at::Tensor Window::pasted(const at::Tensor& whole, const at::Tensor& part) const {
  at::Tensor image = whole.clone();
  cut(image).copy_(part);
  return image;
}

at::Tensor Window::outside(int64_t height_there, int64_t width_there) const {
  at::Tensor is_outside = at::ones({1, 1, height_there, width_there}, at::kBool);
  cut(is_outside).fill_(false);
  return is_outside.flatten();
}

Window window_round(const at::Tensor& changed, int64_t margin, int64_t granularity) {
  const int64_t height = changed.size(2), width = changed.size(3);
  const at::Tensor places = changed[0][0].nonzero();  // (n, 2)
  if (places.size(0) == 0) return {};
  const auto reach = [&](int axis, int64_t length) {
    const at::Tensor all = places.select(1, axis);
    const int64_t low = std::max<int64_t>(0, all.min().item<int64_t>() - margin) / granularity * granularity;
    const int64_t high = std::min(length, all.max().item<int64_t>() + 1 + margin);
    return std::make_pair(low, std::min(length, (high + granularity - 1) / granularity * granularity));
  };
  const auto [top, bottom] = reach(0, height);
  const auto [left, right] = reach(1, width);
  const Window window{top, left, bottom - top, right - left, height, width};
  return window.height * window.width > kMostShare * static_cast<double>(height * width) ? Window() : window;
}

Window change_window(const at::Tensor& target, const at::Tensor& edit, const at::Tensor& mask, int64_t downscale,
                     int64_t granularity) {
  const at::Tensor changed = at::maximum((edit - target).abs().amax(1, true), mask);
  return window_round(at::max_pool2d(changed, {downscale, downscale}), kWindowMargin, granularity);
}

size_t Surroundings::bytes() const {
  size_t sum = 0;
  for (const at::Tensor& halo : halos) sum += halo.numel() * halo.element_size();
  for (const ChannelSums& s : sums) sum += 2 * s.sum.size() * sizeof(double);
  for (const KeyBlock& block : keys) sum += (block.k.numel() + block.v.numel()) * block.k.element_size();
  return sum;
}

void WindowPass::record_halo(const at::Tensor& x) {
  const Window w = into_->window.at(x.size(2), x.size(3));
  into_->halos.push_back(cut_halo(x, row_, w.top, w.left, w.height, w.width));
}

at::Tensor WindowPass::with_halo(const at::Tensor& x) { return pad_with_halo(x, from_->halos.at(next_halo_++)); }

void WindowPass::record_sums(const at::Tensor& x, const std::vector<ChannelSums>& whole) {
  const ChannelSums inside = channel_sums(into_->window.cut(x.narrow(0, row_, 1)))[0];
  ChannelSums beyond = whole.at(row_);
  for (size_t c = 0; c < beyond.sum.size(); ++c) {
    beyond.sum[c] -= inside.sum[c];
    beyond.square[c] = std::max(0.0, beyond.square[c] - inside.square[c]);
  }
  beyond.pixels -= inside.pixels;
  into_->sums.push_back(std::move(beyond));
}

void WindowPass::record_keys(const at::Tensor& k, const at::Tensor& v, int64_t height, int64_t width) {
  const at::Tensor tokens = into_->window.outside(height, width).nonzero().flatten().to(k.device());
  into_->keys.push_back({k.narrow(0, row_, 1).index_select(1, tokens), v.narrow(0, row_, 1).index_select(1, tokens), {}});
}

}  // namespace geometry_transfer
