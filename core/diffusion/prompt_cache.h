// SPDX-License-Identifier: GPL-3.0-or-later
/// The empty prompt's embedding, kept on disk so that a text encoder is read once in its life: $XDG_CACHE_HOME/geometry-transfer.
/// Std types only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "weights/model_files.h"

namespace geometry_transfer {

struct PromptEmbedding {
  std::int64_t tokens = 0, width = 0;
  std::vector<float> context;  ///< tokens * width
  std::vector<float> pooled;   ///< empty where the family has none
};

/// Names the text encoders by what they hold: configurations, names and shapes of all tensors, bytes from each of them. Touches a
/// few pages of each tensor, not all of it. Empty for a model without one.
std::string text_fingerprint(const ModelFiles& files);

/// A name for what any model of this family and width can use when it came without its text encoder.
std::string family_fingerprint(const ModelFiles& files);

/// Nothing when there is none, or when it is damaged, of another version, or of another name. Never throws.
std::optional<PromptEmbedding> read_prompt_cache(const std::string& fingerprint);
/// By a temporary file and rename. A cache that cannot be written is no error: the next time is slower. Never throws.
void write_prompt_cache(const std::string& fingerprint, const PromptEmbedding& embedding);

}  // namespace geometry_transfer
