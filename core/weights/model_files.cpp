// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/model_files.h"

#include <filesystem>

#include "geometry-transfer/parts.h"
#include "request/text.h"
#include "weights/key_map.h"
#include "weights/safetensors.h"
#include "weights/single_file.h"
#include "weights/tensor_list.h"

namespace fs = std::filesystem;

namespace geometry_transfer {
namespace {

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// The tensors of one part, under the names that diffusers and transformers give their files.
std::shared_ptr<const Checkpoint> open_part(const fs::path& folder) {
  for (const char* stem : {"diffusion_pytorch_model", "model"})
    for (const char* variant : {"", ".fp16", ".bf16", ".fp32"}) {
      const fs::path file = folder / (std::string(stem) + variant + ".safetensors");
      if (is_there(file)) return open_safetensors(file);
      // diffusers writes stem.safetensors.index.fp16.json, older versions stem.fp16.safetensors.index.json
      for (const std::string& name : {std::string(stem) + variant + ".safetensors.index.json",
                                      std::string(stem) + ".safetensors.index" + variant + ".json"})
        if (is_there(folder / name)) return open_sharded_safetensors(folder / name);
    }
  if (is_there(folder / "diffusion_pytorch_model.bin") || is_there(folder / "pytorch_model.bin"))
    throw error(Error::Kind::model,
                _("{0} holds pickled .bin weights, which are not opened because they can run programs: save the model as "
                  "safetensors (diffusers: save_pretrained)."),
                folder.string());
  throw error(Error::Kind::model, _("{0} has no .safetensors file: download the model again."), folder.string());
}

void open_text_encoder(const fs::path& folder, TextConfig& config, std::shared_ptr<const Checkpoint>& weights) {
  if (!is_there(folder / "config.json")) return;
  config = read_text_config(folder / "config.json");
  weights = map_keys(open_part(folder), {"", &kClipText}, {"text_model.embeddings.position_ids", "embeddings.position_ids"});
  check_tensors(*weights, text_tensors(config), true);
}

/// Returns the model's family. Test models of a family differ from real ones only in their widths.
std::string family_of(const ModelFiles& files) {
  if (files.unet.text_time) return "SDXL";
  if (files.text.layers == 0 && files.vae.downscale() == 4) return "surface";
  return files.unet.use_linear_projection ? "SD 2.x" : "SD 1.x";
}

ModelFiles open_folder(const fs::path& folder) {
  ModelFiles files;
  if (!is_there(folder / "unet" / "config.json")) {
    if (is_there(folder / "transformer"))
      throw error(
          Error::Kind::model,
          _("{0} is a transformer model (Flux, SD 3 or alike). This method needs a model with a UNet: Stable Diffusion 1.x, "
            "2.x or SDXL."),
          folder.string());
    throw error(Error::Kind::model, _("{0} is not a diffusers model: it has no unet/config.json."), folder.string());
  }
  for (const char* part : {"vae/config.json", "scheduler/scheduler_config.json"})
    if (!is_there(folder / part))
      throw error(Error::Kind::model, _("{0} has no {1}: download the model again."), folder.string(), part);
  files.unet = read_unet_config(folder / "unet" / "config.json");
  files.vae = read_vae_config(folder / "vae" / "config.json");
  files.scheduler = read_scheduler_config(folder / "scheduler" / "scheduler_config.json");
  if (files.vae.latent_channels != files.unet.in_channels)
    throw error(Error::Kind::model, _("{0}: the VAE has {1} latent channels, the UNet takes {2}. They are not of one model."),
                folder.string(), files.vae.latent_channels, files.unet.in_channels);
  files.unet_weights = open_part(folder / "unet");
  check_tensors(*files.unet_weights, unet_tensors(files.unet), false);
  files.vae_weights = open_part(folder / "vae");
  if (files.vae_weights->find("encoder.mid_block.attentions.0.query.weight"))
    files.vae_weights = map_keys(files.vae_weights, {"", &kOldVae}, {});
  check_tensors(*files.vae_weights, vae_tensors(files.vae), true);
  open_text_encoder(folder / "text_encoder", files.text, files.text_weights);
  open_text_encoder(folder / "text_encoder_2", files.text_2, files.text_2_weights);
  files.family = family_of(files);
  files.text.penultimate = files.text_2.penultimate = files.unet.text_time;
  return files;
}

}  // namespace

ModelFiles open_model(const std::string& path, Prediction prediction) {
  if (path.empty())
    throw error(Error::Kind::model,
                _("The model that comes with this program is not installed: install the package {0}, or choose another model."),
                kDiffusionPackage);
  fs::path place(path);
  if (place.has_relative_path() && place.filename().empty()) place = place.parent_path();  // "model/"
  std::error_code failed;
  const fs::file_status status = fs::status(place, failed);
  if (!fs::exists(status))
    throw error(Error::Kind::model, _("There is no model at {0}: choose another, or leave it empty for the one that ships."),
                path);
  const bool folder = fs::is_directory(status);
  ModelFiles files = folder ? open_folder(place) : open_single_file(place, prediction);
  if (prediction != Prediction::automatic)
    files.scheduler.prediction_type = prediction == Prediction::v ? PredictionType::v_prediction : PredictionType::epsilon;
  files.name = folder ? place.filename() : place.stem();
  files.path = path;
  return files;
}

}  // namespace geometry_transfer
