// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/model_memory.h"

#include <algorithm>

#include "request/memory.h"
#include "request/text.h"
#include "weights/tensor_list.h"

namespace geometry_transfer {
namespace {

std::uint64_t numbers(const std::vector<TensorSpec>& tensors) {
  std::uint64_t sum = 0;
  for (const TensorSpec& t : tensors) {
    std::uint64_t count = 1;
    for (const std::int64_t side : t.shape) count *= static_cast<std::uint64_t>(side);
    sum += count;
  }
  return sum;
}

/// The VAE's decoder at full size: a block's input, its normalised copy and its output, at the channels of the second level.
std::uint64_t decoding(const ModelFiles& files) {
  const std::uint64_t side =
      static_cast<std::uint64_t>(files.unet.sample_size) * static_cast<std::uint64_t>(files.vae.downscale());
  const auto& channels = files.vae.block_out_channels;
  return 3 * side * side * static_cast<std::uint64_t>(channels[std::min<std::size_t>(1, channels.size() - 1)]) * sizeof(float);
}

}  // namespace

std::uint64_t model_memory(const ModelFiles& files, int unet_bytes) {
  std::uint64_t text = 0;
  for (const TextConfig* config : {&files.text, &files.text_2})
    if (config->layers > 0) text = std::max(text, numbers(text_tensors(*config)) * sizeof(float));
  const std::uint64_t kept = numbers(unet_tensors(files.unet)) * static_cast<std::uint64_t>(unet_bytes) +
                             numbers(vae_tensors(files.vae)) * sizeof(float);
  return kept + std::max(text, decoding(files));
}

void require_model_memory(const ModelFiles& files, int unet_bytes) {
  const std::uint64_t needed = model_memory(files, unet_bytes), free = free_memory();
  if (needed > free)
    throw error(
        Error::Kind::system,
        _("The model {0} needs {1} GB of memory, {2} GB are free: choose Instant or a smaller model, or close other programs."),
        files.name, gigabytes(needed), gigabytes(free));
}

}  // namespace geometry_transfer
