// SPDX-License-Identifier: GPL-3.0-or-later
/// The model's inputs besides the image. There is no prompt, so they are the same for every picture.
#pragma once

#include <ATen/ATen.h>

#include "geometry-transfer/image.h"
#include "weights/model_files.h"

namespace geometry_transfer {

struct Conditioning {
  at::Tensor context;   ///< (B or 1, M, cross_attention_dim)
  at::Tensor pooled;    ///< (B or 1, projection) for text_time models, else undefined
  at::Tensor time_ids;  ///< (B or 1, 6) for text_time models: original h, w, crop top, left, target h, w; else undefined
};

/// Returns the embedding of the empty prompt, or one token of zeros for a model without a text encoder. time_ids stay
/// undefined, see for_size(). Throws Error (model) if the family needs a text encoder and there is none.
Conditioning empty_prompt(const ModelFiles& files, at::ScalarType dtype, at::Device device);

/// Returns the same with time_ids for a picture of `size` pixels, if the model reads them.
Conditioning for_size(Conditioning conditioning, const UNetConfig& unet, Size size);

}  // namespace geometry_transfer
