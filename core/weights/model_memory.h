// SPDX-License-Identifier: GPL-3.0-or-later
/// Estimates a model's memory from its configuration.
#pragma once

#include <cstdint>

#include "weights/model_files.h"

namespace geometry_transfer {

/// Returns true if the UNet's weights exceed 1 GiB in fp32. All 16-bit weights of the model then stay as they are until
/// they are used. That halves their memory for a few percent of the time.
bool keep_narrow(const ModelFiles& files);

/// Estimates the bytes to load the model and run it at its native size. Counts all weights, their copies for
/// Winograd's convolutions, and the largest features of the VAE's decoder in its smallest tiles. `unet_bytes`: bytes
/// per number of the UNet, 4 or 2. The VAE has fp32; weights of both that stay narrow have 16 bits. Keys that are kept
/// between steps come on top, bounded by what is free.
std::uint64_t model_memory(const ModelFiles& files, int unet_bytes);

/// Throws Error (system) with both figures if that is more than this process may take.
void require_model_memory(const ModelFiles& files, int unet_bytes);

/// Does the same for the model and precision of a request on the processor, before libtorch is opened, because that
/// takes long. Does nothing if a GPU may be used: its memory is asked later. Throws what open_model() throws.
void require_model_memory(const Request& request);

}  // namespace geometry_transfer
