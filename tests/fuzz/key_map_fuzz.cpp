// SPDX-License-Identifier: GPL-3.0-or-later
/// Any key through every map. A key with a place in the model must map back to itself.
#include "weights/key_map.h"

#include "../tools/families.h"
#include "../tools/model_writer.h"
#include "fuzz.h"

using namespace geometry_transfer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto maps = [] {
    std::vector<KeyMap> all;
    for (const ModelFiles& m : {test::sd15(), test::sd21(), test::sdxl()})
      for (auto& row : test::ldm_maps(m)) all.push_back(row.second);
    return all;
  }();
  const std::string key(reinterpret_cast<const char*>(data), size);
  for (const KeyMap& map : maps) {
    for (const std::string& file_key : {key, map.prefix + key})
      for (const Stored& target : map.to_model(file_key)) {
        const auto back = map.to_file(target.key);
        // Two old names may map to one new name, which maps back to one of the two.
        if (back && map.rows != &kClipText && map.rows != &kLdmUNet && back->key != file_key) std::abort();
      }
    if (const auto stored = map.to_file(key)) {
      const auto there = map.to_model(stored->key);
      if (there.size() != static_cast<std::size_t>(stored->parts) || there.at(static_cast<std::size_t>(stored->part)).key != key)
        std::abort();
    }
  }
  return 0;
}
