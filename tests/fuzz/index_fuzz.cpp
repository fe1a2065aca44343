// SPDX-License-Identifier: GPL-3.0-or-later
/// A sharded index beside two valid files. No file outside its folder may be opened, and all promised tensors must be
/// there.
#include <filesystem>
#include <fstream>

#include "../unit/safetensors_file.h"
#include "fuzz.h"
#include "weights/safetensors.h"

using namespace geometry_transfer;

namespace {
struct Shards {
  Shards() {
    test::write_file(folder / "m-1.safetensors", test::safetensors_bytes({{"a", "F16", {1}, "aa"}, {"b.c", "F16", {1}, "bb"}}));
    test::write_file(folder / "m-2.safetensors",
                     test::safetensors_bytes({{"d", "F32", {1}, "dddd"}, {"i", "I64", {1}, "iiiiiiii"}}));
  }
  test::TemporaryFolder folder;
};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Shards shards;
  const std::filesystem::path index = shards.folder / "m.safetensors.index.json";
  std::ofstream(index, std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  fuzz::refusing([&] {
    const auto checkpoint = open_sharded_safetensors(index);
    for (const std::string& key : checkpoint->keys()) {
      if (key != "a" && key != "b.c" && key != "d" && key != "i") std::abort();
      fuzz::refusing([&] {
        if (!checkpoint->find(key)) std::abort();
      });
    }
  });
  return 0;
}
