// SPDX-License-Identifier: GPL-3.0-or-later
/// ComfyUI's list of folders. All folders of the list are absolute, and their number is bounded.
#include "fuzz.h"
#include "weights/extra_model_paths.h"

using namespace geometry_transfer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::refusing([&] {
    const auto folders = parse_extra_model_paths(reinterpret_cast<const char*>(data), size, "/comfy/a.yaml", "/home/me");
    if (folders.size() > 100) std::abort();
    for (const auto& folder : folders)
      if (!folder.is_absolute() || folder.string().find('\0') != std::string::npos) std::abort();
  });
  return 0;
}
