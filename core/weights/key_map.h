// SPDX-License-Identifier: GPL-3.0-or-later
/// Tables that translate tensor names between a file and diffusers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weights/checkpoint.h"
#include "weights/tensor_list.h"

namespace geometry_transfer {

/// How a tensor in the file relates to a tensor of the model.
struct Stored {
  std::string key;          ///< in the file
  int part = 0, parts = 1;  ///< it stacks `parts` tensors of the model along the first axis; number `part`, from 0
  bool transposed = false;  ///< 2 axes, swapped
  bool conv = false;        ///< stored as a 1 x 1 convolution where the model has a linear layer
};

/// The end of a key, inside a block: "in_layers.0" in the file, "norm1" in the model. Matches whole components.
struct NameRow {
  const char *file, *model;
  int part = 0, parts = 1;
  bool transposed = false, conv = false;
};

/// The first components of a key. A name in braces matches a number:
///   {n}, {m}  the same number on both sides                     {r}  counted from the other end: levels - 1 - {r}
///   {i}, {o}  the file's running number of a block on the way in or out; {b}, {j} in the model: level and place in it
/// `names` translates the rest of the key. Without `names` the rest is the same on both sides.
struct BlockRow {
  const char *file, *model;
  const std::vector<NameRow>* names = nullptr;  ///< nullptr: the rest is kept
  /// The row holds for levels with attention (1), without (0), or for all (-1).
  int attends = -1;
};

/// One network's rows, and what their numbers need.
struct KeyMap {
  std::string prefix;  ///< before every key of this network in the file: "model.diffusion_model."
  const std::vector<BlockRow>* rows = nullptr;
  int layers_per_block = 2, levels = 4;
  std::vector<bool> attention = {};  ///< of each level, fine to coarse

  /// Returns where the model's tensor is in the file; nothing if no row matches.
  std::optional<Stored> to_file(const std::string& model_key) const;
  /// Returns the model's tensors that the file's tensor holds; `key` is then the model's. Empty if no row or prefix
  /// matches.
  std::vector<Stored> to_model(const std::string& file_key) const;

 private:
  /// Returns true if the level has attention as `row` asks. `way_in`: in the UNet's first half.
  bool fits(const BlockRow& row, bool way_in, int level) const;
};

/// Returns the tensors of `file` under the model's names. Throws Error (model) that lists keys with the map's prefix
/// if neither a row nor `ignored` matches them. Throws Error (model) that names a tensor if it is there twice.
/// `ignored`: beginnings of keys, after the map's prefix.
std::shared_ptr<const Checkpoint> map_keys(std::shared_ptr<const Checkpoint> file, const KeyMap& map,
                                           const std::vector<std::string>& ignored);

// ---- the rows (key_map_ldm.cpp) ----------------------------------------------------------------------------------

extern const std::vector<BlockRow> kLdmUNet;   ///< after "model.diffusion_model."
extern const std::vector<BlockRow> kLdmVae;    ///< after "first_stage_model."
extern const std::vector<BlockRow> kClipText;  ///< transformers' names, "text_model." in front or not
extern const std::vector<BlockRow> kOpenClip;  ///< after "cond_stage_model.model." or "conditioner.embedders.1.model."
extern const std::vector<BlockRow> kOldVae;    ///< diffusers before 0.18: query, key, value, proj_attn

}  // namespace geometry_transfer
