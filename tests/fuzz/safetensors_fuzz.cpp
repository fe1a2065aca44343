// SPDX-License-Identifier: GPL-3.0-or-later
/// A whole file. Every tensor of an accepted file can be read to its last byte.
#include "weights/safetensors.h"

#include "fuzz.h"
#include "weights/single_file.h"

using namespace geometry_transfer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::MemoryFile file(data, size);
  fuzz::refusing([&] { open_single_file(file.path(), Prediction::automatic); });
  fuzz::refusing([&] {
    const auto checkpoint = open_safetensors(file.path());
    for (const std::string& key : checkpoint->keys())
      fuzz::refusing([&] {
        const TensorView* view = checkpoint->find(key);
        if (!view) std::abort();
        std::size_t bytes = static_cast<std::size_t>(dtype_size(view->dtype));
        for (const std::int64_t side : view->shape) bytes *= static_cast<std::size_t>(side);
        fuzz::touch(view->data, bytes);
        checkpoint->forget(key);
        fuzz::touch(view->data, bytes);  // reads it again
      });
  });
  return 0;
}
