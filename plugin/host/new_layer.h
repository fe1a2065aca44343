// SPDX-License-Identifier: GPL-3.0-or-later
/// Owns a new layer until it is kept. If it is not kept, it is deleted.
#pragma once

#include <utility>

#include "host/host.h"

namespace geometry_transfer {

class NewLayer {
 public:
  /// `layer`: from host::make_layer, so kNone if the host refused.
  NewLayer(host::Id image, host::Id layer) : image_(image), layer_(layer) {}
  NewLayer(NewLayer&& other) noexcept
      : image_(other.image_), layer_(std::exchange(other.layer_, host::kNone)), inserted_(other.inserted_) {}
  ~NewLayer() {
    if (!host::is_layer(layer_)) return;  // the image was closed meanwhile
    if (inserted_)
      host::remove_layer(image_, layer_);
    else
      host::delete_layer(layer_);
  }
  NewLayer& operator=(NewLayer&&) = delete;

  host::Id id() const { return layer_; }
  explicit operator bool() const { return layer_ != host::kNone; }
  /// Same as host::insert_layer.
  bool insert(host::Id beside, bool below = false) {
    inserted_ = host::insert_layer(image_, layer_, beside, below);
    if (!inserted_) layer_ = host::kNone;
    return inserted_;
  }
  /// Same as host::insert_into_group.
  bool insert_into(host::Id group) {
    inserted_ = host::insert_into_group(image_, layer_, group);
    if (!inserted_) layer_ = host::kNone;
    return inserted_;
  }
  /// Releases the layer to the image.
  host::Id keep() { return std::exchange(layer_, host::kNone); }

 private:
  host::Id image_, layer_;
  bool inserted_ = false;
};

}  // namespace geometry_transfer
