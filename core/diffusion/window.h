// SPDX-License-Identifier: GPL-3.0-or-later
/// If two images differ only inside a rectangle, only that rectangle (the window) is computed for the second one. The
/// edit and the output equal the target outside the geometry, so their passes run in a window. The target's own pass
/// records the surroundings that the window needs: the halo for convolutions, sums over the whole image for norms, and
/// keys for attention.
///
/// The first layer is exact. In deeper layers the surroundings of the two images differ a little, because each layer
/// spreads the geometry outwards. A margin around the geometry keeps that error small, see "Windows" in
/// docs/experiments/kernels.md.
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
  /// The same rectangle on a canvas of another resolution. Its borders must fall between pixels of that canvas.
  Window at(int64_t height_there, int64_t width_there) const;
  /// whole (B, C, H, W), the canvas at any resolution -> the part inside, no copy.
  at::Tensor cut(const at::Tensor& whole) const;
  /// Returns a copy of `whole` with `part` inside.
  at::Tensor pasted(const at::Tensor& whole, const at::Tensor& part) const;
  /// Returns a mask (H * W) over the tokens of the canvas: true outside the window.
  at::Tensor outside(int64_t height_there, int64_t width_there) const;
};

/// Returns the smallest window that holds all nonzero pixels of `changed` (1, 1, h, w) and `margin` latent pixels
/// around them. Its borders are multiples of `granularity`. Empty if all are 0, or if the window would be too large to
/// save time.
Window window_round(const at::Tensor& changed, int64_t margin, int64_t granularity);

/// Latent pixels around the geometry that are computed with it although they equal the target. The difference that
/// deeper layers spread outwards fades there, see "Windows" in docs/experiments/kernels.md.
constexpr int64_t kWindowMargin = 4;

/// Returns the window around all pixels that the edit changes or the mask opens. target, edit (1, 3, H, W) and mask (1,
/// 1, H, W) are in pixels. The window is in latents, `downscale` times smaller.
Window change_window(const at::Tensor& target, const at::Tensor& edit, const at::Tensor& mask, int64_t downscale,
                     int64_t granularity);

/// The surroundings of a window, recorded by one pass over the whole canvas, in the order of the layers.
struct Surroundings {
  Window window;
  std::vector<at::Tensor> halos;  ///< (1, C, 1, 2 h + 2 w + 4), see kernels/halo.h
  std::vector<ChannelSums> sums;  ///< outside the window
  std::vector<KeyBlock> keys;     ///< tokens outside the window, for attention without a mixer (VAE)

  bool empty() const { return window.empty(); }
  size_t bytes() const;
};

/// One pass through a network, as its layers see it. It either records surroundings, or it runs in a window and reads
/// them back.
/// Layers take a pointer; nullptr is an ordinary pass over the whole canvas.
class WindowPass {
 public:
  /// Records the surroundings of `window` in row `row` of the batch. Empties `into` first.
  WindowPass(Surroundings& into, const Window& window, int64_t row) : into_(&into), from_(&into), row_(row) {
    into = {};
    into.window = window;
  }
  /// Runs in the window that `from` surrounds. All activations then cover the window only.
  explicit WindowPass(const Surroundings& from) : from_(&from) {}

  bool records() const { return into_ != nullptr; }

  void record_halo(const at::Tensor& x);
  /// x (B, C, h, w) -> (B, C, h + 2, w + 2) channels-last, with the recorded halo.
  at::Tensor with_halo(const at::Tensor& x);

  /// `whole`: the sums over the canvas, for each row of x.
  void record_sums(const at::Tensor& x, const std::vector<ChannelSums>& whole);
  const ChannelSums& sums_beyond() { return from_->sums.at(next_sums_++); }

  /// k, v (B, N, C) of an H x W grid.
  void record_keys(const at::Tensor& k, const at::Tensor& v, int64_t height, int64_t width);
  const KeyBlock& keys_beyond() { return from_->keys.at(next_keys_++); }

 private:
  Surroundings* into_ = nullptr;
  const Surroundings* from_;
  int64_t row_ = 0;
  size_t next_halo_ = 0, next_sums_ = 0, next_keys_ = 0;
};

}  // namespace geometry_transfer
