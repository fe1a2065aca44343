// SPDX-License-Identifier: GPL-3.0-or-later
/// Writes a model of a published family at full size with random weights. Measurements use it, as they need the sizes
/// only:
///
///   random_model sd15|sd21|sdxl file|folder OUT [f16|bf16|f32] [parts]
///
/// `file`: OUT is one .safetensors in the original names. `folder`: OUT is a diffusers folder. `parts`, for a folder: a
/// comma list of unet, vae, text_encoder, text_encoder_2 (default: all). Weights are normal with variance 1 / fan-in,
/// norms 1, biases 0, so numbers stay finite through the networks. The numbers are the same every time.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>

#include "families.h"
#include "model_writer.h"

using namespace geometry_transfer;

namespace {

std::uint16_t to_f16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const std::uint16_t sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  const float size = std::fabs(value);
  if (size < std::ldexp(1.f, -14)) return static_cast<std::uint16_t>(sign | static_cast<int>(std::lround(std::ldexp(size, 24))));
  int exponent;
  const float fraction = std::frexp(size, &exponent);  // [0.5, 1)
  return static_cast<std::uint16_t>(sign + ((exponent + 13) << 10) + static_cast<int>(std::lround(std::ldexp(fraction, 11))));
}

std::uint16_t to_bf16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// Writes numbers in one format. Normal numbers come from a random place in a table of 65521, to be as fast as the
/// disk.
class Numbers {
 public:
  explicit Numbers(const std::string& dtype) : dtype_(dtype), normal_(65521) {
    std::normal_distribution<float> draw;
    for (float& value : normal_) value = draw(random_);
  }

  bool operator()(const test::FileTensor& tensor, std::ostream& out) {
    const std::string key = tensor.from.empty() ? "bias" : tensor.from[0].first;
    if (ends_with(key, "bias")) return false;  // a hole, which reads as zeros
    const bool norm = tensor.shape.size() == 1;
    double fan_in = 1;
    for (std::size_t i = 1; i < tensor.shape.size(); ++i) fan_in *= static_cast<double>(tensor.shape[i]);
    const float scale = key.find("embedding.weight") != std::string::npos ? 0.02f : static_cast<float>(1 / std::sqrt(fan_in));
    std::string table;
    if (norm) {
      table = encode(std::vector<float>(4096, 1.f));
    } else {
      std::vector<float> scaled = normal_;
      for (float& value : scaled) value *= scale;
      table = encode(scaled);
    }
    const std::int64_t width = dtype_ == "F32" ? 4 : 2;
    std::int64_t left = tensor.numbers() * width;
    while (left > 0) {
      const std::int64_t count = static_cast<std::int64_t>(table.size()) / width;
      const std::int64_t from = norm ? 0 : static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(count / 2)) * width;
      const std::int64_t bytes = std::min(left, static_cast<std::int64_t>(table.size()) - from);
      out.write(table.data() + from, bytes);
      left -= bytes;
    }
    return true;
  }

 private:
  std::string encode(const std::vector<float>& values) const {
    if (dtype_ == "F32") return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
    std::string bytes;
    for (const float value : values) {
      const std::uint16_t half = dtype_ == "F16" ? to_f16(value) : to_bf16(value);
      bytes.append(reinterpret_cast<const char*>(&half), sizeof half);
    }
    return bytes;
  }

  std::string dtype_;
  std::vector<float> normal_;
  std::mt19937_64 random_{1};
};

std::string list(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "\"" : ", \"") + word + "\"";
  return "[" + text + "]";
}
std::string list(const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return "[" + text + "]";
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

std::string text_config(const TextConfig& c) {
  return "{\"architectures\": [\"CLIPTextModel" + std::string(c.projection_dim ? "WithProjection" : "") +
         "\"], \"model_type\": \"clip_text_model\", \"hidden_act\": \"" + (c.quick_gelu ? "quick_gelu" : "gelu") +
         "\", \"hidden_size\": " + std::to_string(c.hidden_size) +
         ", \"intermediate_size\": " + std::to_string(c.intermediate_size) +
         ", \"num_attention_heads\": " + std::to_string(c.heads) + ", \"num_hidden_layers\": " + std::to_string(c.layers) +
         ", \"projection_dim\": " + std::to_string(c.projection_dim ? c.projection_dim : 512) + ", \"eos_token_id\": 2}\n";
}

void write_folder(const ModelFiles& m, const std::filesystem::path& root, const std::string& dtype, const std::string& parts) {
  const UNetConfig& u = m.unet;
  std::vector<std::string> down, up;
  for (std::size_t i = 0; i < u.cross_attention.size(); ++i) {
    down.push_back(u.cross_attention[i] ? "CrossAttnDownBlock2D" : "DownBlock2D");
    up.insert(up.begin(), u.cross_attention[i] ? "CrossAttnUpBlock2D" : "UpBlock2D");
  }
  write_text(root / "unet/config.json",
             "{\"_class_name\": \"UNet2DConditionModel\", \"attention_head_dim\": " + list(u.heads) +
                 ", \"block_out_channels\": " + list(u.block_out_channels) +
                 ", \"cross_attention_dim\": " + std::to_string(u.cross_attention_dim) + ", \"down_block_types\": " + list(down) +
                 ", \"up_block_types\": " + list(up) + ", \"transformer_layers_per_block\": " + list(u.transformer_layers) +
                 ", \"sample_size\": " + std::to_string(u.sample_size) +
                 ", \"use_linear_projection\": " + (u.use_linear_projection ? "true" : "false") +
                 ", \"upcast_attention\": " + (u.upcast_attention ? "true" : "false") +
                 (u.text_time ? ", \"addition_embed_type\": \"text_time\", \"addition_time_embed_dim\": " +
                                    std::to_string(u.addition_time_embed_dim) + ", \"projection_class_embeddings_input_dim\": " +
                                    std::to_string(u.projection_class_embeddings_input_dim)
                              : "") +
                 "}\n");
  const std::size_t levels = m.vae.block_out_channels.size();
  write_text(root / "vae/config.json",
             "{\"_class_name\": \"AutoencoderKL\", \"block_out_channels\": " + list(m.vae.block_out_channels) +
                 ", \"layers_per_block\": 2, \"scaling_factor\": " + std::to_string(m.vae.scaling_factor) +
                 ", \"down_block_types\": " + list(std::vector<std::string>(levels, "DownEncoderBlock2D")) +
                 ", \"up_block_types\": " + list(std::vector<std::string>(levels, "UpDecoderBlock2D")) + "}\n");
  write_text(
      root / "scheduler/scheduler_config.json",
      "{\"_class_name\": \"DDIMScheduler\", \"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\", "
      "\"clip_sample\": false, \"set_alpha_to_one\": false, \"steps_offset\": 1, \"prediction_type\": \"" +
          std::string(m.scheduler.prediction_type == PredictionType::epsilon ? "epsilon" : "v_prediction") + "\"}\n");
  write_text(root / "model_index.json", "{\"_class_name\": \"StableDiffusionPipeline\"}\n");
  for (const std::string part : {"unet", "vae", "text_encoder", "text_encoder_2"}) {
    const TextConfig* text = part == "text_encoder" ? &m.text : part == "text_encoder_2" ? &m.text_2 : nullptr;
    if ((text && !text->layers) || ("," + parts + ",").find("," + part + ",") == std::string::npos) continue;
    if (text) write_text(root / part / "config.json", text_config(*text));
    const std::filesystem::path file = root / part / (text ? "model.safetensors" : "diffusion_pytorch_model.safetensors");
    test::write_safetensors(file, test::folder_tensors(part, test::specs_of(m, part)), dtype, Numbers(dtype));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  const auto usage = [] {
    std::fprintf(stderr,
                 "usage: random_model sd15|sd21|sdxl file|folder OUT [f16|bf16|f32] [unet,vae,text_encoder,text_encoder_2]\n");
    return 2;
  };
  if (args.size() < 3 || (args[1] != "file" && args[1] != "folder")) return usage();
  if (args[0] != "sd15" && args[0] != "sd21" && args[0] != "sdxl") return usage();
  const ModelFiles model = args[0] == "sd15" ? test::sd15() : args[0] == "sd21" ? test::sd21() : test::sdxl();
  const std::string format = args.size() > 3 ? args[3] : "f16";
  const std::string dtype = format == "f16" ? "F16" : format == "bf16" ? "BF16" : format == "f32" ? "F32" : "";
  if (dtype.empty()) return usage();
  try {
    if (args[1] == "file")
      test::write_safetensors(args[2], test::ldm_tensors(model), dtype, Numbers(dtype));
    else
      write_folder(model, args[2], dtype, args.size() > 4 ? args[4] : "unet,vae,text_encoder,text_encoder_2");
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
