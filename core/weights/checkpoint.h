// SPDX-License-Identifier: GPL-3.0-or-later
/// Tensors on disk, by the names that diffusers and transformers give them, whatever the file itself calls them. No torch here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace geometry_transfer {

enum class DType { f32, f16, bf16 };

/// One tensor's bytes, mapped from the file: row-major, little-endian. Valid while its Checkpoint lives.
struct TensorView {
  DType dtype;
  std::vector<std::int64_t> shape;
  const std::byte* data;
  bool transposed = false;  ///< stored as the transpose of `shape` (2 axes): OpenCLIP's text projection
};

/// Where one part of a model (its UNet, its VAE, a text encoder) finds its tensors. Immutable.
class Checkpoint {
 public:
  virtual ~Checkpoint() = default;
  /// nullptr when there is none of that name. `key` as in a diffusers folder: "down_blocks.0.resnets.0.conv1.weight".
  virtual const TensorView* find(const std::string& key) const = 0;
  /// The bytes of that tensor have been copied and are not needed for now: the system may take their memory back. They can be
  /// read again at any time.
  virtual void forget(const std::string& key) const { static_cast<void>(key); }
  /// All names, sorted.
  virtual std::vector<std::string> keys() const = 0;
  /// For messages: the file the tensors come from.
  virtual std::string path() const = 0;
};

}  // namespace geometry_transfer
