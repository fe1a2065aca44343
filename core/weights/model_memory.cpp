// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/model_memory.h"

#include <unistd.h>

#include <algorithm>

#include "diffusion/kernels/winograd_size.h"
#include "geometry-transfer/models.h"
#include "request/memory.h"
#include "request/text.h"
#include "runtime/processor.h"
#include "weights/tensor_list.h"

namespace geometry_transfer {
namespace {

/// Returns the bytes of a network's weights at `wide` (2 or 4) bytes per number. 3x3 convolutions have a second,
/// transformed copy in fp32, unless they stay narrow or this processor is better at bf16.
std::uint64_t kept_bytes(const ModelFiles& files, const std::vector<TensorSpec>& tensors,
                         const std::shared_ptr<const Checkpoint>& weights, const char* key, int wide) {
  const TensorView* view = weights ? weights->find(key) : nullptr;
  const bool narrow = view && view->dtype != DType::f32 && keep_narrow(files);
  std::uint64_t sum = count_numbers(tensors) * static_cast<std::uint64_t>(narrow ? 2 : wide);
  if (narrow || (wide != sizeof(float) && !winograd_for_bf16())) return sum;
  for (const TensorSpec& t : tensors)
    if (t.shape.size() == 4 && t.shape[2] == 3 && t.key.find("downsamplers") == std::string::npos)
      sum += winograd_bytes(t.shape[0], t.shape[1]);
  return sum;
}

/// Returns the bytes of the VAE's decoder on a tile of 32 latent pixels a side. These are three fp32 feature maps
/// with the channels of the second level: a block's input, its normalised copy and its output.
std::uint64_t decoding(const ModelFiles& files) {
  const std::uint64_t side =
      static_cast<std::uint64_t>(std::min(files.unet.sample_size, 32)) * static_cast<std::uint64_t>(files.vae.downscale());
  const auto& channels = files.vae.block_out_channels;
  return 3 * side * side * static_cast<std::uint64_t>(channels[std::min<std::size_t>(1, channels.size() - 1)]) * sizeof(float);
}

/// Returns true if a GPU may be used: the request asks for it, or a driver is installed (NVIDIA's, AMD's).
bool may_use_gpu(Device asked) {
  return asked == Device::cuda ||
         (asked == Device::automatic && (access("/dev/nvidiactl", F_OK) == 0 || access("/dev/kfd", F_OK) == 0));
}

/// Bytes of one number of the UNet on the processor; those of fp32 where the request's precision will be refused.
int unet_bytes_of(Precision asked) {
  const bool bf16 = asked == Precision::bf16 ? can_compute_bf16() : asked == Precision::automatic && bf16_is_faster();
  return bf16 ? 2 : 4;
}

}  // namespace

bool keep_narrow(const ModelFiles& files) {
  return count_numbers(unet_tensors(files.unet)) * sizeof(float) > std::uint64_t{1} << 30;
}

std::uint64_t model_memory(const ModelFiles& files, int unet_bytes) {
  return kept_bytes(files, unet_tensors(files.unet), files.unet_weights, "conv_in.weight", unet_bytes) +
         kept_bytes(files, vae_tensors(files.vae), files.vae_weights, "encoder.conv_in.weight", sizeof(float)) + decoding(files);
}

void require_model_memory(const ModelFiles& files, int unet_bytes) {
  const std::uint64_t needed = model_memory(files, unet_bytes), free = free_memory();
  if (needed > free)
    throw error(
        Error::Kind::system,
        _("The model {0} needs {1} GB of memory, {2} GB are free: choose Instant or a smaller model, or close other programs."),
        files.name, gigabytes(needed), gigabytes(free));
}

void require_model_memory(const Request& request) {
  if (may_use_gpu(request.device)) return;
  require_model_memory(open_model(request.model.empty() ? shipped_model().path : request.model, request.prediction),
                       unet_bytes_of(request.precision));
}

}  // namespace geometry_transfer
