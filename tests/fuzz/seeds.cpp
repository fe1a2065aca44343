// SPDX-License-Identifier: GPL-3.0-or-later
/// Writes the first inputs of the fuzz targets to OUT/TARGET/. Usage: seeds GOLDEN_FOLDER OUT
#include <opencv2/imgcodecs.hpp>
#include <sstream>

#include "../tools/families.h"
#include "../tools/model_writer.h"
#include "../unit/safetensors_file.h"
#include "cli/image_file.h"

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

/// Small pictures of each format, depth and number of channels, with all metadata, in several compressions, and cut
/// off.
void pictures(const fs::path& out) {
  cli::Metadata metadata;
  metadata.exif = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0};
  metadata.xmp = {'<', 'x', '>'};
  metadata.resolution = cli::Resolution{300, 200, cli::Resolution::Unit::inch};
  metadata.png_colour = {{"gAMA", {0, 0, 0xB1, 0x8F}}, {"cICP", {1, 13, 0, 1}}};
  const auto keep = [&](const std::string& name, const cli::Bytes& bytes) {
    test::write_file(out / name, std::string(bytes.begin(), bytes.end()));
  };
  for (const char* ending : {".png", ".jpg", ".tiff"})
    for (const int type : {CV_8UC1, CV_8UC2, CV_8UC3, CV_8UC4, CV_16UC1, CV_16UC2, CV_16UC3, CV_16UC4}) {
      const bool jpeg = std::string(ending) == ".jpg";
      if (jpeg && type != CV_8UC1 && type != CV_8UC3) continue;
      cli::Picture picture;
      picture.pixels.create(5, 6, type);
      cv::randu(picture.pixels, 0, 255);
      const std::string name = std::to_string(type);
      keep(name + ending, cli::encoded(std::string("a") + ending, picture));
      picture.metadata = metadata;
      cli::Bytes bytes = cli::encoded(std::string("a") + ending, picture, {4, -5});
      keep(name + "-metadata" + ending, bytes);
      bytes.resize(bytes.size() / 2);
      keep(name + "-cut" + ending, bytes);
      if (picture.pixels.channels() == 2) continue;  // OpenCV cannot write these
      for (const int packing : {1, 7, 8, 32773}) {
        const bool tiff = std::string(ending) == ".tiff";
        if (!tiff && packing != 1) continue;
        try {
          if (cv::imencode(ending, picture.pixels, bytes,
                           {cv::IMWRITE_TIFF_COMPRESSION, packing, cv::IMWRITE_JPEG_PROGRESSIVE, 1}))
            keep(name + "-" + std::to_string(packing) + ending, bytes);
        } catch (const cv::Exception&) {
        }
      }
    }
}

/// Notes of layers, command lines and lists.
void requests(const fs::path& out) {
  std::string note = "0", list = "2target\tsource\tmask\toutput", row = "t.png\ts.png\tm.png\to.png";
  for (const Parameter& p : parameters()) {
    const std::string value = parameter_text(Request{}, p);
    note += std::string(p.name) + "=" + value + "\n";
    list += std::string("\t") + p.name;
    row += "\t" + value;
    test::write_file(out / (std::string("option-") + p.name), std::string("1--") + p.name + "\n" + value + "\n--list-models");
    test::write_file(
        out / (std::string("json-") + p.name),
        std::string(R"(3[{"target":"t","source":"s","mask":"m","output":"o",")") + p.name + "\":\"" + value + "\"}]");
  }
  test::write_file(out / "note", note + "target-layer=3\nsource-layer=4\n");
  test::write_file(out / "list", list + "\tat\tlayer\n# a comment\n" + row + "\t3,4\tl.png\n");
  test::write_file(out / "files",
                   "1--target\nt\n--source\ns\n--mask\nm\n--output\no\n--at\n1.5,2\n--reference\nr\n--reference-mask\nq\n"
                   "--weight\n0.5\n--reference-placement\n1,2,0.5,30\n--texture\nx\n--preset\ndraft\n--quiet");
  test::write_file(out / "help", "1--help");
  test::write_file(out / "cases",
                   "4a/target.tiff\na/source.jpg\na/mask.png\nb/target.png\nb/source.jpeg\nb/mask.tif\nc/target.png\nnone");
  test::write_file(out / "json", R"(3[{"target":"t","source":"s","mask":"m","layer":"l","at":"1,2","scale":0.5,"flip":true}])");
}

/// One input for each way in which a header or an index is refused.
void refusals(const fs::path& out) {
  int number = 0;
  const auto header = [&](const std::string& entry, const std::string& data = "ab") {
    test::write_file(out / "safetensors" / ("refused-" + std::to_string(number++)), test::safetensors_bytes(entry, data));
  };
  for (const char* value : {"null", "true", "-1", "0.5", "[[1]]", "{\"a\":1}"}) header(std::string("{\"a\":") + value + "}");
  for (const char* shape : {"[-1]", "[1.5]", "[null]", "[18446744073709551615,2]", "1", "[[1]]"})
    header(std::string("{\"a\":{\"dtype\":\"F16\",\"shape\":") + shape + ",\"data_offsets\":[0,2]}}");
  for (const char* offsets : {"[0]", "[2,0]", "[0,4]", "[1,3]", "[0,2,2]", "[0,18446744073709551615]", "\"x\""})
    header(std::string("{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":") + offsets + "}}");
  header("{\"a\":{\"dtype\":\"F7\",\"shape\":[1],\"data_offsets\":[0,2]}}");
  header("{\"a\":{\"shape\":[1],\"data_offsets\":[0,2]}}");
  header("{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}", "abcd");
  header("{\"a\":", "");
  header("[]");
  test::write_file(out / "safetensors/short", "abc");
  test::write_file(out / "safetensors/endless", std::string(8, '\xff') + "{}");
  for (const char* text :
       {"{}", "{\"weight_map\":[]}", "{\"weight_map\":{\"a\":1}}", "{\"weight_map\":{\"a\":\"../m-1.safetensors\"}}",
        "{\"weight_map\":{\"zz\":\"m-1.safetensors\"}}", "{\"weight_map\":{\"a\":\"none.safetensors\"}}",
        "{\"weight_map\":{\"a\":\"m-1.safetensors\",\"a\":\"m-1.safetensors\"}}", "{", "[]"})
    test::write_file(out / "index" / ("refused-" + std::to_string(number++)), text);
  const auto config = [&](const char* kind, const std::string& text) {
    test::write_file(out / "config" / ("refused-" + std::to_string(number++)), kind + text);
  };
  for (const char* kind : {"0", "1", "2", "3"})
    for (const char* text :
         {"{", "{\"a\":1,\"a\":2}", "[]", "{\"in_channels\":9}", "{\"in_channels\":8}", "{\"act_fn\":\"relu\"}",
          "{\"beta_schedule\":\"cosine\"}", "{\"unknown_key\":[1]}", "{\"block_out_channels\":[320,0]}"})
      config(kind, text);
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
  test::write_file(out / "model_paths/example",
                   "# of a person\nwebui:\n  base_path: path/to/webui/\n  checkpoints: models/Stable-diffusion\n  loras: |\n"
                   "    models/Lora\n    models/LyCORIS\ncomfyui:\n  is_default: true\n  base_path: ~/ai\n  checkpoints: |\n"
                   "    models/checkpoints\n    /data\n  diffusers: $HOME/x\nempty:\n");
  test::write_file(out / "model_paths/flow", "{a: {base_path: '~', checkpoints: \"a\\nb\", c: [&x 1, *x]}}");
  refusals(out);
  pictures(out / "image");
  requests(out / "request");
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
