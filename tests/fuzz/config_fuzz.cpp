// SPDX-License-Identifier: GPL-3.0-or-later
/// The configurations. The first byte chooses the reader. The tensors of an accepted configuration can be listed within
/// bounds.
#include "diffusion/config.h"

#include "fuzz.h"
#include "weights/tensor_list.h"

using namespace geometry_transfer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const fuzz::MemoryFile file(data + 1, size - 1);
  const std::string path = file.path();
  fuzz::refusing([&] {
    switch (data[0] % 4) {
      case 0: {
        const UNetConfig c = read_unet_config(path);
        for (std::size_t i = 0; i < c.heads.size(); ++i)
          if (c.block_out_channels.at(i) % c.heads[i] != 0 || c.transformer_layers.at(i) < 1) std::abort();
        if (unet_tensors(c).empty()) std::abort();
        break;
      }
      case 1: {
        const VaeConfig c = read_vae_config(path);
        if (c.downscale() < 1 || !(c.scaling_factor > 0) || vae_tensors(c).empty()) std::abort();
        break;
      }
      case 2: {
        const SchedulerConfig c = read_scheduler_config(path);
        if (!(c.beta_end < 1) || c.num_train_timesteps < 2) std::abort();
        break;
      }
      default: {
        const TextConfig c = read_text_config(path);
        if (c.layers < 1 || c.hidden_size % c.heads != 0 || text_tensors(c).empty()) std::abort();
      }
    }
  });
  return 0;
}
