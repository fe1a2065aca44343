// SPDX-License-Identifier: GPL-3.0-or-later
/// Other names for the same tensors: rows that say how a file's key and diffusers' key turn into each other.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weights/checkpoint.h"
#include "weights/tensor_list.h"

namespace geometry_transfer {

/// What a file's tensor is to the model's.
struct Stored {
  std::string key;          ///< in the file
  int part = 0, parts = 1;  ///< the file's tensor is this many of the model's, stacked along the first axis
  bool transposed = false;  ///< 2 axes, swapped
  bool conv = false;        ///< stored as a 1 x 1 convolution where the model has a linear layer
};

/// The end of a key, inside a block: "in_layers.0" in the file, "norm1" in the model. Matches whole components.
struct NameRow {
  const char *file, *model;
  int part = 0, parts = 1;
  bool transposed = false, conv = false;
};

/// The beginning of a key, up to a block. Numbers stand in braces:
///   {n}       the same number on both sides                     {r}  counted from the other end: levels - 1 - {r}
///   {i}, {o}  the file's running number of a block on the way in or out; {b}, {j} in the model: level and place in it
/// A pattern ends where the block's own names begin; with no names the rest of the key is the same on both sides.
struct BlockRow {
  const char *file, *model;
  const std::vector<NameRow>* names = nullptr;  ///< nullptr: the rest is kept
  /// Of the model's level: 1 only with attention, 0 only without, -1 either.
  int attends = -1;
};

/// One network's rows, and what their numbers need.
struct KeyMap {
  std::string prefix;  ///< before every key of this network in the file: "model.diffusion_model."
  const std::vector<BlockRow>* rows = nullptr;
  int layers_per_block = 2, levels = 4;
  std::vector<bool> attention = {};  ///< of each level, fine to coarse

  /// Where the model's tensor is in the file; nothing when no row matches.
  std::optional<Stored> to_file(const std::string& model_key) const;
  /// The model's tensors that the file's is; empty when no row matches or the prefix is another. `.key` is the model's.
  std::vector<Stored> to_model(const std::string& file_key) const;

 private:
  /// Whether the model's level, of the way in or out, has the attention that `row` asks for.
  bool fits(const BlockRow& row, bool way_in, int level) const;
};

/// `file`'s tensors under the model's names. Keys with the prefix that no row knows, or that `ignored` does not name (prefixes of
/// keys, after the map's own), are listed in an Error (model); so are two tensors for one name.
std::shared_ptr<const Checkpoint> map_keys(std::shared_ptr<const Checkpoint> file, const KeyMap& map,
                                           const std::vector<std::string>& ignored);

// ---- the rows (key_map_ldm.cpp) ----------------------------------------------------------------------------------

extern const std::vector<BlockRow> kLdmUNet;   ///< after "model.diffusion_model."
extern const std::vector<BlockRow> kLdmVae;    ///< after "first_stage_model."
extern const std::vector<BlockRow> kClipText;  ///< transformers' names, "text_model." in front or not
extern const std::vector<BlockRow> kOpenClip;  ///< after "cond_stage_model.model." or "conditioner.embedders.1.model."
extern const std::vector<BlockRow> kOldVae;    ///< diffusers before 0.18: query, key, value, proj_attn

}  // namespace geometry_transfer
