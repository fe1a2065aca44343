// SPDX-License-Identifier: GPL-3.0-or-later
/// Writes whole models for tests, as a diffusers folder or as one file with the original names. A tensor that nothing
/// fills is a hole, so a model of full size takes no disk space.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "weights/key_map.h"
#include "weights/model_files.h"
#include "weights/tensor_list.h"

namespace geometry_transfer::test {

/// A tensor of a file, and the model's tensors that it holds. There are several if the file stacks them.
struct FileTensor {
  std::string key;
  std::vector<std::int64_t> shape;
  std::string part;  ///< "unet", "vae", "text_encoder", "text_encoder_2"; empty for tensors that the program ignores
  std::vector<std::pair<std::string, Stored>> from;
  std::int64_t numbers() const {
    std::int64_t n = 1;
    for (const auto side : shape) n *= side;
    return n;
  }
};

inline std::vector<FileTensor> folder_tensors(const std::string& part, const std::vector<TensorSpec>& specs) {
  std::vector<FileTensor> all;
  for (const TensorSpec& spec : specs) all.push_back({spec.key, spec.shape, part, {{spec.key, {spec.key}}}});
  return all;
}

/// Returns the maps of a one-file model, with the part that each belongs to.
inline std::vector<std::pair<std::string, KeyMap>> ldm_maps(const ModelFiles& m) {
  const auto levels = [](const auto& c) { return static_cast<int>(c.block_out_channels.size()); };
  std::vector<std::pair<std::string, KeyMap>> maps = {
      {"unet", {"model.diffusion_model.", &kLdmUNet, m.unet.layers_per_block, levels(m.unet), m.unet.cross_attention}},
      {"vae", {"first_stage_model.", &kLdmVae, m.vae.layers_per_block, levels(m.vae)}}};
  if (m.unet.text_time) {
    maps.push_back({"text_encoder", {"conditioner.embedders.0.transformer.", &kClipText}});
    maps.push_back({"text_encoder_2", {"conditioner.embedders.1.model.", &kOpenClip}});
  } else if (m.unet.use_linear_projection) {
    maps.push_back({"text_encoder", {"cond_stage_model.model.", &kOpenClip}});
  } else {
    maps.push_back({"text_encoder", {"cond_stage_model.transformer.", &kClipText}});
  }
  return maps;
}

inline std::vector<TensorSpec> specs_of(const ModelFiles& m, const std::string& part) {
  return part == "unet"  ? unet_tensors(m.unet)
         : part == "vae" ? vae_tensors(m.vae)
                         : text_tensors(part == "text_encoder" ? m.text : m.text_2);
}

/// Returns the shape of a model's tensor in the file.
inline std::vector<std::int64_t> stored_shape(const Stored& stored, std::vector<std::int64_t> shape) {
  if (stored.transposed) std::swap(shape.at(0), shape.at(1));
  if (stored.conv) shape.insert(shape.end(), {1, 1});
  shape.at(0) *= stored.parts;
  return shape;
}

/// Returns all tensors of the model in one file, and the unused ones that published files have.
inline std::vector<FileTensor> ldm_tensors(const ModelFiles& m) {
  std::map<std::string, FileTensor> all;
  for (const auto& [part, map] : ldm_maps(m)) {
    for (const TensorSpec& spec : specs_of(m, part)) {
      const auto stored = map.to_file(spec.key);
      if (!stored) throw std::runtime_error("no place for " + spec.key);
      FileTensor& t = all[stored->key];
      t.key = stored->key;
      t.part = part;
      t.shape = stored_shape(*stored, spec.shape);
      t.from.push_back({spec.key, *stored});
    }
    if (map.rows == &kOpenClip && !m.unet.text_time) {  // SD 2.x has a last layer that the family does not use
      const std::string layer = map.prefix + "transformer.resblocks.", last = std::to_string(m.text.layers);
      for (const auto& [key, t] : std::map<std::string, FileTensor>(all))
        if (key.compare(0, layer.size() + 2, layer + "0.") == 0) {
          const std::string name = layer + last + key.substr(layer.size() + 1);
          all[name] = {name, t.shape, "", {}};
        }
      all[map.prefix + "text_projection"] = {map.prefix + "text_projection", {m.text.hidden_size, m.text.hidden_size}, "", {}};
      all[map.prefix + "logit_scale"] = {map.prefix + "logit_scale", {}, "", {}};
    }
  }
  for (const char* buffer : {"alphas_cumprod", "betas", "model_ema.diffusion_modelinput_blocks00weight"})
    all[buffer] = {buffer, {1000}, "", {}};
  std::vector<FileTensor> list;
  for (auto& row : all) list.push_back(std::move(row.second));
  return list;
}

/// fill(tensor, stream) writes the tensor's bytes to the stream, or returns false for a hole.
using Fill = std::function<bool(const FileTensor&, std::ostream&)>;

inline void write_safetensors(const std::string& path, const std::vector<FileTensor>& tensors, const std::string& dtype,
                              const Fill& fill) {
  const std::int64_t size = dtype == "F32" ? 4 : 2;
  std::string header = "{\"__metadata__\":{\"format\":\"pt\"}";
  std::int64_t at = 0;
  for (const FileTensor& t : tensors) {
    std::string shape;
    for (const auto side : t.shape) shape += (shape.empty() ? "" : ",") + std::to_string(side);
    header += ",\"" + t.key + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + shape + "],\"data_offsets\":[" +
              std::to_string(at) + "," + std::to_string(at + t.numbers() * size) + "]}";
    at += t.numbers() * size;
  }
  header += "}";
  while (header.size() % 64 != 56) header += ' ';
  std::ofstream out(path, std::ios::binary);
  for (int i = 0; i < 8; ++i) out.put(static_cast<char>(header.size() >> (8 * i)));
  out << header;
  const std::int64_t start = static_cast<std::int64_t>(8 + header.size());
  at = start;
  for (const FileTensor& t : tensors) {
    out.seekp(at);
    if (fill) fill(t, out);
    at += t.numbers() * size;
  }
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path);
  std::filesystem::resize_file(path, static_cast<std::uintmax_t>(at));  // a hole at the end
}

/// Fills with the fp32 tensors of an open model, stacked, transposed and shaped as in the file.
inline Fill tensors_of(const ModelFiles& m) {
  return [&m](const FileTensor& t, std::ostream& out) {
    if (t.from.empty()) return false;
    const Checkpoint& weights = *(t.part == "unet"           ? m.unet_weights
                                  : t.part == "vae"          ? m.vae_weights
                                  : t.part == "text_encoder" ? m.text_weights
                                                             : m.text_2_weights);
    std::map<int, std::string> parts;  // by their place in the stack
    for (const auto& [key, stored] : t.from) {
      const TensorView* view = weights.find(key);
      if (!view || view->dtype != DType::f32 || view->transposed) throw std::runtime_error("not fp32: " + key);
      const char* data = reinterpret_cast<const char*>(view->data);
      std::string bytes;
      if (stored.transposed) {
        const std::int64_t rows = view->shape.at(0), columns = view->shape.at(1);
        for (std::int64_t c = 0; c < columns; ++c)
          for (std::int64_t r = 0; r < rows; ++r) bytes.append(data + 4 * (r * columns + c), 4);
      } else {
        bytes.assign(data, static_cast<std::size_t>(t.numbers() / stored.parts * 4));
      }
      parts[stored.part] = bytes;
    }
    for (const auto& row : parts) out << row.second;
    return true;
  };
}

}  // namespace geometry_transfer::test
