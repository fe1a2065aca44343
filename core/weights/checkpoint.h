// SPDX-License-Identifier: GPL-3.0-or-later
/// Interface to tensors on disk by their names in diffusers and transformers, whatever names the file uses. It needs no
/// torch.
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

/// The tensors of one part of a model: UNet, VAE or a text encoder. Immutable.
class Checkpoint {
 public:
  virtual ~Checkpoint() = default;
  /// Returns nullptr if there is no such tensor. Throws Error (model) for an unsupported number format or a changed
  /// file. `key` as in a diffusers folder: "down_blocks.0.resnets.0.conv1.weight".
  virtual const TensorView* find(const std::string& key) const = 0;
  /// Tells the system that it may free the memory of that tensor's bytes. They can be read again at any time.
  virtual void forget(const std::string& key) const { static_cast<void>(key); }
  /// All names, sorted.
  virtual std::vector<std::string> keys() const = 0;
  /// Tells whether the files are those of an earlier time, without reading them: MappedFile::identity() of each. Empty
  /// if that cannot be told.
  virtual std::string identity() const { return {}; }
  /// For messages: the file the tensors come from.
  virtual std::string path() const = 0;
};

}  // namespace geometry_transfer
