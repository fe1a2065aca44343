// SPDX-License-Identifier: GPL-3.0-or-later
/// Writes the fuzzers' first inputs into OUT/TARGET/: usage: seeds GOLDEN_FOLDER OUT
#include <sstream>

#include "../tools/families.h"
#include "../tools/model_writer.h"
#include "../unit/safetensors_file.h"

using namespace geometry_transfer;
namespace fs = std::filesystem;

namespace {

std::string contents(const fs::path& path) {
  std::stringstream all;
  all << std::ifstream(path, std::ios::binary).rdbuf();
  return all.str();
}

/// A model of the family with two levels and the smallest widths.
ModelFiles tiny(ModelFiles m) {
  m.unet.block_out_channels = {2, 4};
  m.unet.cross_attention = {!m.unet.text_time, m.unet.text_time};
  m.unet.heads = {1, 1};
  m.unet.transformer_layers = {1, 1};
  m.unet.layers_per_block = 1;
  m.unet.cross_attention_dim = 6;
  if (m.unet.text_time) m.unet.projection_class_embeddings_input_dim = 4 + 12;
  m.vae.block_out_channels = {2, 2};
  m.vae.layers_per_block = 1;
  for (TextConfig* t : {&m.text, &m.text_2})
    if (t->layers) {
      t->layers = 1;
      t->hidden_size = 4;
      t->intermediate_size = 8;
      t->vocab_size = 9;
      if (t->projection_dim) t->projection_dim = 4;
    }
  return m;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const fs::path golden = argv[1], out = argv[2];
  test::write_file(
      out / "safetensors/small",
      test::safetensors_bytes({{"a.weight", "F32", {2, 1}, "12345678"}, {"b", "BF16", {}, "xy"}, {"i", "I64", {1}, "12345678"}}));
  test::write_file(
      out / "safetensors/metadata",
      test::safetensors_bytes(
          "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}", "ab"));
  test::write_file(out / "index/two",
                   "{\"metadata\":{\"total_size\":12},\"weight_map\":{\"a\":\"m-1.safetensors\",\"d\":\"m-2.safetensors\"}}");
  for (const char* family : {"sd15", "sd21", "sdxl"}) {
    test::write_file(out / "config" / (std::string("unet-") + family), "0" + contents(golden / family / "unet/config.json"));
    test::write_file(out / "config" / (std::string("vae-") + family), "1" + contents(golden / family / "vae/config.json"));
    test::write_file(out / "config" / (std::string("scheduler-") + family),
                     "2" + contents(golden / family / "scheduler/scheduler_config.json"));
    test::write_file(out / "config" / (std::string("text-") + family),
                     "3" + contents(golden / family / "text_encoder/config.json"));
  }
  for (const ModelFiles& full : {test::sd15(), test::sd21(), test::sdxl()}) {
    std::string lines;
    for (const auto& t : test::ldm_tensors(tiny(full))) {
      lines += t.key;
      for (const auto side : t.shape) lines += " " + std::to_string(side);
      lines += "\n";
    }
    test::write_file(out / "single_file" / full.name, lines);
    int i = 0;
    for (const auto& t : test::ldm_tensors(full))
      if (i++ % 40 == 0) test::write_file(out / "key_map" / (full.name + std::to_string(i)), t.key);
    for (const auto& [part, map] : test::ldm_maps(full))
      for (const auto& spec : test::specs_of(full, part))
        if (i++ % 40 == 0) test::write_file(out / "key_map" / (full.name + std::to_string(i)), spec.key);
  }
  return 0;
}
