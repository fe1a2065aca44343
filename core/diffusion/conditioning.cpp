// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/conditioning.h"

#include "request/text.h"

namespace geometry_transfer {

Conditioning empty_prompt(const ModelFiles& files, at::ScalarType dtype, at::Device device) {
  if (files.text.layers)
    throw error(Error::Kind::model, _("{0} needs its text encoder, which this version cannot run yet."), files.name);
  return {at::zeros({1, 1, files.unet.cross_attention_dim}, at::TensorOptions().dtype(dtype).device(device)), {}, {}};
}

}  // namespace geometry_transfer
