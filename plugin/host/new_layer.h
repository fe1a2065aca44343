// SPDX-License-Identifier: GPL-3.0-or-later
/// A layer that is made for an image, and is taken back on every way out but the good one.
#pragma once

#include <utility>

#include "host/host.h"

namespace geometry_transfer {

class NewLayer {
 public:
  /// `layer`: of host::make_layer, so kNone where the host refused.
  NewLayer(host::Id image, host::Id layer) : image_(image), layer_(layer) {}
  NewLayer(NewLayer&& other) noexcept
      : image_(other.image_), layer_(std::exchange(other.layer_, host::kNone)), inserted_(other.inserted_) {}
  ~NewLayer() {
    if (!host::is_layer(layer_)) return;  // its image was closed meanwhile
    if (inserted_)
      host::remove_layer(image_, layer_);
    else
      host::delete_layer(layer_);
  }
  NewLayer& operator=(NewLayer&&) = delete;

  host::Id id() const { return layer_; }
  explicit operator bool() const { return layer_ != host::kNone; }
  /// As host::insert_layer.
  bool insert(host::Id beside, bool below = false) {
    inserted_ = host::insert_layer(image_, layer_, beside, below);
    if (!inserted_) layer_ = host::kNone;
    return inserted_;
  }
  /// From here on it is the image's.
  host::Id keep() { return std::exchange(layer_, host::kNone); }

 private:
  host::Id image_, layer_;
  bool inserted_ = false;
};

}  // namespace geometry_transfer
