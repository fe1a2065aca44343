// SPDX-License-Identifier: GPL-3.0-or-later
/// A picture that equals another one outside a rectangle is computed inside it alone. The edit and the output equal the target
/// outside the geometry, so of their passes only a window is worked on; what a window needs of its surroundings (pixels that
/// convolutions reach for, sums that norms take over the whole picture, keys of attention) was kept in the target's own pass.
///
/// Exact where the target's features round the window are those of the picture itself. They are at the first layer; deeper ones
/// have seen a little of the geometry, which a margin round it keeps small (docs/speed.md: the measured difference).
#pragma once

#include <optional>
#include <vector>

#include "diffusion/attention.h"
#include "diffusion/kernels/norm.h"

namespace geometry_transfer {

/// A rectangle of a canvas, in latent pixels. Empty: no window, the whole canvas.
struct Window {
  int64_t top = 0, left = 0, height = 0, width = 0;
  int64_t canvas_height = 0, canvas_width = 0;

  bool empty() const { return height == 0; }
  /// The same rectangle of a canvas of another resolution, whose pixels it must fall on.
  Window at(int64_t height_there, int64_t width_there) const;
  /// whole (B, C, H, W), the canvas at any resolution -> the part inside, no copy.
  at::Tensor cut(const at::Tensor& whole) const;
  /// A copy of `whole` with `part` inside.
  at::Tensor pasted(const at::Tensor& whole, const at::Tensor& part) const;
  /// (H * W) of a token grid of the canvas: true outside.
  at::Tensor outside(int64_t height_there, int64_t width_there) const;
};

/// The smallest window on multiples of `granularity` with `margin` latent pixels round everything that is not 0 in `changed`
/// (1, 1, h, w). Empty where that is nothing or so much of the canvas that a window would not pay.
Window window_round(const at::Tensor& changed, int64_t margin, int64_t granularity);

/// What one pass over the whole canvas leaves for passes over a window of it, in the order in which layers asked.
struct Surroundings {
  Window window;
  std::vector<at::Tensor> rings;  ///< (1, C, 1, 2 h + 2 w + 4): pixels one out: above, below, left, right; zeros off the canvas
  std::vector<ChannelSums> sums;  ///< outside the window
  std::vector<KeyBlock> keys;     ///< of attention that no mixer routes (the VAE's): tokens outside the window

  bool empty() const { return window.empty(); }
  size_t bytes() const;
};

/// One pass through a network, as its layers see it: either it records surroundings or it runs on a window within them. Layers
/// take a pointer; nullptr is the ordinary pass.
class WindowPass {
 public:
  /// Records what lies round `window` in row `row` of the batch; what `into` held goes.
  WindowPass(Surroundings& into, const Window& window, int64_t row) : into_(&into), from_(&into), row_(row) {
    into = {};
    into.window = window;
  }
  /// Runs within `from`: all activations are the window's.
  explicit WindowPass(const Surroundings& from) : from_(&from) {}

  bool records() const { return into_ != nullptr; }

  void keep_ring(const at::Tensor& x);
  /// x (B, C, h, w) -> (B, C, h + 2, w + 2) channels-last, with what lies round it.
  at::Tensor ringed(const at::Tensor& x);

  /// `whole`: the sums of each row of x.
  void keep_sums(const at::Tensor& x, const std::vector<ChannelSums>& whole);
  const ChannelSums& sums_beyond() { return from_->sums.at(next_sums_++); }

  /// k, v (B, N, C) of an H x W grid.
  void keep_keys(const at::Tensor& k, const at::Tensor& v, int64_t height, int64_t width);
  const KeyBlock& keys_beyond() { return from_->keys.at(next_keys_++); }

 private:
  Surroundings* into_ = nullptr;
  const Surroundings* from_;
  int64_t row_ = 0;
  size_t next_ring_ = 0, next_sums_ = 0, next_keys_ = 0;
};

}  // namespace geometry_transfer
