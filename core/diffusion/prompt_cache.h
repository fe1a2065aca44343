// SPDX-License-Identifier: GPL-3.0-or-later
/// Keeps the empty prompt's embedding in $XDG_CACHE_HOME/geometry-transfer, so a text encoder is read only once. Std
/// types only.
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
  std::vector<float> pooled;   ///< empty if the family has none
};

/// Identifies the text encoders by their configurations, and the names, shapes and whole contents of all tensors. The
/// contents are read once: the cache folder remembers the result for files that have not changed
/// (Checkpoint::identity). Empty for a model without a text encoder. Throws Error (model) if a file changes meanwhile.
std::string text_fingerprint(const ModelFiles& files);

/// Identifies an embedding that fits all models of this family and width. Used for a model that came without its text
/// encoder.
std::string family_fingerprint(const ModelFiles& files);

/// Returns nothing if the cache is missing, damaged, or of another version or name. Never throws.
std::optional<PromptEmbedding> read_prompt_cache(const std::string& fingerprint);
/// A cache that cannot be written is no error. Never throws.
void write_prompt_cache(const std::string& fingerprint, const PromptEmbedding& embedding);

}  // namespace geometry_transfer
