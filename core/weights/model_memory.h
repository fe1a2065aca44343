// SPDX-License-Identifier: GPL-3.0-or-later
/// What a model takes of the memory, from its configuration alone.
#pragma once

#include <cstdint>

#include "weights/model_files.h"

namespace geometry_transfer {

/// Whether the weights stay in the file's 16 bits while they are computed with in fp32: those that would take more than 1 GiB do.
/// Half the memory for a few percent of the time; smaller ones are not worth even that.
bool keep_narrow(const ModelFiles& files);

/// Bytes to load the model and run it at its native size: every weight once, of the UNet at `unet_bytes` a number (4 or 2), of
/// the VAE in fp32, of both in 16 bits where they stay narrow; the copies that Winograd's convolutions make; and the widest
/// features of the VAE in its smallest squares. An estimate, rounded to neither side; keys that are kept between steps come on
/// top and are bounded by what is free.
std::uint64_t model_memory(const ModelFiles& files, int unet_bytes);

/// Throws Error (system) with both figures when that is more than this process may take.
void require_model_memory(const ModelFiles& files, int unet_bytes);

/// The same for the model and precision of a request that will run on the processor, before libtorch is opened, which alone takes
/// more than a refusal should. Nothing where the request may run on a GPU: what is needed then is known once that is asked.
/// Throws what open_model() throws.
void require_model_memory(const Request& request);

}  // namespace geometry_transfer
