// SPDX-License-Identifier: GPL-3.0-or-later
/// Detects the kind of a checkpoint by its keys. The marker keys are those of https://github.com/huggingface/diffusers
/// (src/diffusers/loaders/single_file_utils.py) and https://github.com/comfyanonymous/ComfyUI
/// (comfy/supported_models.py).
#include "weights/single_file.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "request/text.h"
#include "weights/half.h"
#include "weights/key_map.h"
#include "weights/safetensors.h"

namespace geometry_transfer {
namespace {

using std::to_string;

constexpr char kUNet[] = "model.diffusion_model.", kVae[] = "first_stage_model.";
constexpr char kClip[] = "cond_stage_model.transformer.", kOpen[] = "cond_stage_model.model.";
constexpr char kXlClip[] = "conditioner.embedders.0.transformer.", kXlOpen[] = "conditioner.embedders.1.model.";

constexpr char kUNetAlone[] = N_("a UNet alone: choose the folder that holds unet and vae");

/// A key, or the beginning of keys, that only another kind of model has.
struct Marker {
  const char* start;
  const char* kind;
  bool stray = false;  ///< ignored if the file holds a UNet
};
const Marker markers[] = {
    {"double_blocks.", N_("a Flux model")},
    {"model.diffusion_model.double_blocks.", N_("a Flux model")},
    {"joint_blocks.", N_("a Stable Diffusion 3 model")},
    {"model.diffusion_model.joint_blocks.", N_("a Stable Diffusion 3 model")},
    {"conditioner.embedders.0.model.", N_("the refiner of SDXL")},
    {"edm_mean", N_("a Playground 2.5 model (EDM)")},
    {"edm_vpred.", N_("an EDM model")},
    {"control_model.", N_("a ControlNet")},
    {"control_", N_("a ControlNet")},
    // Programs that merge a LoRA into a model may leave some of its keys behind.
    {"lora_", N_("a LoRA, not a whole model"), true},
    {"down_blocks.0.motion_modules.", N_("a motion module, not a whole model")},
    {"model.diffusion_model.patchify_proj", N_("a video model")},
    {"input_hint_block.", N_("a ControlNet")},
    {"down_blocks.", kUNetAlone},
    {"input_blocks.", kUNetAlone},
    {"diffusion_model.input_blocks.", kUNetAlone},
    {"encoder.conv_in.", N_("a VAE alone, not a whole model")},
    {"text_model.", N_("a text encoder alone, not a whole model")},
};

Error other_kind(const std::string& path, const char* kind) {
  return error(Error::Kind::model, _("{0} is {1}. Choose a Stable Diffusion 1.x, 2.x or SDXL model."), path, _(kind));
}

/// Throws Error (model) if a configuration derived from shapes is out of range, like one from config.json.
void refuse_misfit(const std::string& path, const std::optional<Misfit>& wrong) {
  if (wrong)
    throw error(Error::Kind::model, _("{0} has \"{1}\" = {2}, which this program does not support: choose another model."), path,
                wrong->key, wrong->value);
}

/// Looks up names and shapes in a file.
class Keys {
 public:
  explicit Keys(const Checkpoint& file) : file_(file) {
    for (std::string& key : file.keys()) names_.insert(std::move(key));
  }
  bool has(const std::string& key) const { return names_.count(key) != 0; }
  bool any_with(const std::string& start) const {
    const auto first = names_.lower_bound(start);
    return first != names_.end() && first->compare(0, start.size(), start) == 0;
  }
  /// Returns how many of start0., start1., ... follow each other from 0.
  int count(const std::string& start) const {
    int n = 0;
    while (n < 1000 && any_with(start + to_string(n) + ".")) ++n;
    return n;
  }
  /// Returns a side of a tensor. Throws if it is missing or has another number of axes.
  int side(const std::string& key, std::size_t axis, std::initializer_list<std::size_t> axes) const {
    const TensorView* view = has(key) ? file_.find(key) : nullptr;
    if (!view)
      throw error(Error::Kind::model,
                  _("{0} has no \"{1}\": it is incomplete, or not a Stable Diffusion 1.x, 2.x or SDXL model."), file_.path(),
                  key);
    const std::size_t found = view->shape.size();
    if (std::find(axes.begin(), axes.end(), found) == axes.end() || view->shape[axis] < 1 || view->shape[axis] > 1 << 22)
      throw error(Error::Kind::model, _("{0}: \"{1}\" has a shape that does not fit its place."), file_.path(), key);
    return static_cast<int>(view->shape[axis]);
  }
  template <class Test>
  std::vector<std::string> all_that(const Test& test) const {
    std::vector<std::string> found;
    std::copy_if(names_.begin(), names_.end(), std::back_inserter(found), test);
    return found;
  }
  const Checkpoint& file() const { return file_; }

 private:
  const Checkpoint& file_;
  std::set<std::string> names_;
};

UNetConfig detect_unet(const Keys& keys) {
  const std::string root = kUNet;
  UNetConfig c;
  c.in_channels = keys.side(root + "input_blocks.0.0.weight", 1, {4});
  if (c.in_channels == 9) throw other_kind(keys.file().path(), N_("an inpainting model (9 input channels)"));
  if (c.in_channels == 8) throw other_kind(keys.file().path(), N_("an instruct-pix2pix model (8 input channels)"));
  if (c.in_channels != 4) throw other_kind(keys.file().path(), N_("a model of another kind: its UNet does not take 4 channels"));
  c.out_channels = keys.side(root + "out.2.weight", 0, {4});

  // Blocks on the way in: conv_in, then for each level its layers and one downsampling; the last level has no
  // downsampling.
  const int blocks = keys.count(root + "input_blocks.");
  int per_level = 1;
  while (per_level < blocks && !keys.has(root + "input_blocks." + to_string(per_level) + ".0.op.weight")) ++per_level;
  c.layers_per_block = per_level - 1;
  if (c.layers_per_block < 1 || blocks % per_level != 0 || blocks / per_level > 8)
    throw error(Error::Kind::model, _("{0}: its UNet has {1} blocks in an order that is not known."), keys.file().path(), blocks);
  const int levels = blocks / per_level;

  bool first_attention = true;
  for (int b = 0; b < levels; ++b) {
    const std::string block = root + "input_blocks." + to_string(1 + b * per_level);
    c.block_out_channels.push_back(keys.side(block + ".0.out_layers.3.weight", 0, {4}));
    const bool attends = keys.any_with(block + ".1.transformer_blocks.");
    c.cross_attention.push_back(attends);
    c.transformer_layers.push_back(attends ? keys.count(block + ".1.transformer_blocks.") : 1);
    if (!attends || !first_attention) continue;
    first_attention = false;
    c.cross_attention_dim = keys.side(block + ".1.transformer_blocks.0.attn2.to_k.weight", 1, {2});
    const std::string project = block + ".1.proj_in.weight";
    keys.side(project, 0, {2, 4});
    c.use_linear_projection = keys.file().find(project)->shape.size() == 2;
  }
  if (!c.cross_attention.back()) c.transformer_layers.back() = keys.count(root + "middle_block.1.transformer_blocks.");
  // Heads cannot be seen in the shapes: 8 everywhere in SD 1.x, 64 channels each in SD 2.x and SDXL.
  for (const int channels : c.block_out_channels) c.heads.push_back(c.use_linear_projection ? std::max(1, channels / 64) : 8);

  c.text_time = keys.any_with(root + "label_emb.");
  if (c.text_time) c.projection_class_embeddings_input_dim = keys.side(root + "label_emb.0.0.weight", 1, {2});
  return c;
}

VaeConfig detect_vae(const Keys& keys, bool sdxl) {
  const std::string root = kVae;
  if (!keys.any_with(root))
    throw error(Error::Kind::model,
                _("{0} holds no VAE: choose a version of the model with the VAE in it, or a diffusers folder."),
                keys.file().path());
  VaeConfig c;
  c.in_channels = keys.side(root + "encoder.conv_in.weight", 1, {4});
  c.latent_channels = keys.side(root + "decoder.conv_in.weight", 1, {4});
  const int levels = keys.count(root + "encoder.down.");
  for (int b = 0; b < levels; ++b)
    c.block_out_channels.push_back(keys.side(root + "encoder.down." + to_string(b) + ".block.0.conv2.weight", 0, {4}));
  if (levels < 1 || levels > 8 || c.in_channels != 3)
    throw other_kind(keys.file().path(), N_("a model with a VAE of another kind"));
  c.layers_per_block = keys.count(root + "encoder.down.0.block.");
  c.mid_block_attention = keys.any_with(root + "encoder.mid.attn_1.");
  c.quant_conv = keys.any_with(root + "quant_conv.");
  c.post_quant_conv = keys.any_with(root + "post_quant_conv.");
  // https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0, vae/config.json; 0.18215: stable-diffusion-v1-5
  c.scaling_factor = sdxl ? 0.13025 : 0.18215;
  c.force_upcast = sdxl;
  return c;
}

/// CLIP-L in transformers' names. `root` may or may not be followed by "text_model.".
TextConfig detect_clip(const Keys& keys, const std::string& root) {
  const std::string model = root + (keys.any_with(root + "text_model.") ? "text_model." : "");
  TextConfig c;
  c.vocab_size = keys.side(model + "embeddings.token_embedding.weight", 0, {2});
  c.hidden_size = keys.side(model + "embeddings.token_embedding.weight", 1, {2});
  c.max_positions = keys.side(model + "embeddings.position_embedding.weight", 0, {2});
  c.layers = keys.count(model + "encoder.layers.");
  c.intermediate_size = keys.side(model + "encoder.layers.0.mlp.fc1.weight", 0, {2});
  c.heads = std::max(1, c.hidden_size / 64);
  c.quick_gelu = true;
  return c;
}

TextConfig detect_open_clip(const Keys& keys, const std::string& root) {
  TextConfig c;
  c.vocab_size = keys.side(root + "token_embedding.weight", 0, {2});
  c.hidden_size = keys.side(root + "token_embedding.weight", 1, {2});
  c.max_positions = keys.side(root + "positional_embedding", 0, {2});
  c.layers = keys.count(root + "transformer.resblocks.");
  c.intermediate_size = keys.side(root + "transformer.resblocks.0.mlp.c_fc.weight", 0, {2});
  c.heads = std::max(1, c.hidden_size / 64);
  c.quick_gelu = false;
  return c;
}

/// Returns true for a v-prediction model. This is ComfyUI's rule for SD 2.x, because such files have no configuration:
/// the standard deviation of norm1's bias in the last output attention exceeds 0.09.
bool looks_like_v(const Keys& keys, const UNetConfig& unet) {
  const int last = static_cast<int>(unet.block_out_channels.size()) * (unet.layers_per_block + 1) - 1;
  const std::string key = std::string(kUNet) + "output_blocks." + to_string(last) + ".1.transformer_blocks.0.norm1.bias";
  const int count = keys.side(key, 0, {1});
  const TensorView& bias = *keys.file().find(key);
  double sum = 0, squares = 0;
  for (int i = 0; i < count; ++i) {
    const double b = number_at(bias, static_cast<std::size_t>(i));
    sum += b;
    squares += b * b;
  }
  const double mean = sum / count;
  return count > 1 && std::sqrt((squares - count * mean * mean) / (count - 1)) > 0.09;
}

std::shared_ptr<const Checkpoint> text_weights(const std::shared_ptr<const Checkpoint>& file, const TextConfig& config,
                                               const std::string& prefix, const std::vector<BlockRow>& rows) {
  KeyMap map{prefix, &rows};
  std::vector<std::string> ignored = {"embeddings.position_ids", "text_model.embeddings.position_ids", "logit_scale",
                                      "attn_mask"};
  if (&rows == &kOpenClip) {
    // SD 2.x was trained on the last layer but one: what comes after it is not used, and diffusers' folders leave it
    // out.
    ignored.push_back("transformer.resblocks." + to_string(config.layers) + ".");
    if (!config.projection_dim) ignored.push_back("text_projection");
  } else if (!config.projection_dim) {
    ignored.push_back("text_projection");
  }
  auto weights = map_keys(file, map, ignored);
  refuse_misfit(file->path(), out_of_range(config));
  check_tensors(*weights, text_tensors(config), false);
  return weights;
}

/// Returns true for a factor or scale of a LoRA inside one of the networks, by the names of kohya's scripts, diffusers
/// and peft. Keys at the top level begin with "lora_" and belong to no network.
bool is_lora_factor(const std::string& key) {
  for (const std::string start : {kUNet, kVae, kClip, kOpen, kXlClip, kXlOpen}) {
    if (key.compare(0, start.size(), start) != 0) continue;
    const std::size_t alpha = key.size() - std::min<std::size_t>(6, key.size());
    return key.find("lora_", start.size()) != std::string::npos || key.find("_lora.", start.size()) != std::string::npos ||
           key.compare(alpha, 6, ".alpha") == 0;
  }
  return false;
}

/// Refuses a file that holds another kind of model, or none.
void refuse_other_kinds(const Keys& keys) {
  const std::string& path = keys.file().path();
  const bool has_unet = keys.has(std::string(kUNet) + "input_blocks.0.0.weight");
  for (const Marker& marker : markers)
    if (keys.any_with(marker.start) && !(marker.stray && has_unet)) throw other_kind(path, marker.kind);
  if (const std::vector<std::string> factors = keys.all_that(is_lora_factor); has_unet && !factors.empty())
    throw error(Error::Kind::model,
                _("{0} holds parts of a LoRA that is not merged into the weights: {1}. Merge it, or choose another model."), path,
                some_of(factors));
  if (has_unet && !keys.any_with(kVae) && !keys.any_with("cond_stage_model.") && !keys.any_with("conditioner."))
    throw other_kind(path, kUNetAlone);
  if (!keys.any_with(kUNet))
    throw error(Error::Kind::model, _("{0} holds no UNet of Stable Diffusion 1.x, 2.x or SDXL: choose another model."), path);
}

/// Returns true if the model predicts velocity: by the user's choice, else by SDXL's key or SD 2.x's biases.
bool predicts_v(const Keys& keys, const UNetConfig& unet, bool sd2, Prediction prediction) {
  if (prediction != Prediction::automatic) return prediction == Prediction::v;
  if (unet.text_time) return keys.has("v_pred");
  return sd2 && looks_like_v(keys, unet);
}

/// Detects SDXL's text encoders. The embedding width of its six size numbers is the added condition's width less the
/// pooled text's.
void detect_sdxl_text(ModelFiles& files, const std::shared_ptr<const Checkpoint>& file, const Keys& keys) {
  if (keys.any_with(kXlClip) && keys.any_with(kXlOpen)) {
    files.text = detect_clip(keys, kXlClip);
    files.text_weights = text_weights(file, files.text, kXlClip, kClipText);
    files.text_2 = detect_open_clip(keys, kXlOpen);
    files.text_2.projection_dim = keys.side(std::string(kXlOpen) + "text_projection", 1, {2});
    files.text_2_weights = text_weights(file, files.text_2, kXlOpen, kOpenClip);
    files.text.penultimate = files.text_2.penultimate = true;
  }
  const int pooled = files.text_2.projection_dim ? files.text_2.projection_dim : 1280;
  const int rest = files.unet.projection_class_embeddings_input_dim - pooled;
  if (rest < 12 || rest % 12 != 0) throw other_kind(file->path(), N_("a model with added conditions of another kind"));
  files.unet.addition_time_embed_dim = rest / 6;
}

/// The text encoder of SD 1.x or 2.x; none where the file has none.
void detect_text(ModelFiles& files, const std::shared_ptr<const Checkpoint>& file, const Keys& keys) {
  if (keys.any_with(kOpen)) {
    files.text = detect_open_clip(keys, kOpen);
    --files.text.layers;
    files.text_weights = text_weights(file, files.text, kOpen, kOpenClip);
  } else if (keys.any_with(kClip)) {
    files.text = detect_clip(keys, kClip);
    files.text_weights = text_weights(file, files.text, kClip, kClipText);
  }
}

}  // namespace

ModelFiles single_file_model(std::shared_ptr<const Checkpoint> file, Prediction prediction) {
  const Keys keys(*file);
  refuse_other_kinds(keys);
  ModelFiles files;
  files.unet = detect_unet(keys);
  files.vae = detect_vae(keys, files.unet.text_time);
  if (files.vae.latent_channels != files.unet.in_channels)
    throw other_kind(file->path(), N_("a model whose VAE does not fit its UNet"));

  const bool sdxl = files.unet.text_time, sd2 = !sdxl && files.unet.use_linear_projection;
  const bool v = predicts_v(keys, files.unet, sd2, prediction);
  files.scheduler.rescale_betas_zero_snr = sdxl && keys.has("v_pred") && keys.has("ztsnr");
  files.scheduler.prediction_type = v ? PredictionType::v_prediction : PredictionType::epsilon;
  // The native sides of the published models: 512, 768 (SD 2.x that predict v), 1024 pixels.
  files.unet.sample_size = sdxl ? 128 : sd2 && v ? 96 : 64;
  files.unet.upcast_attention = sd2 && v;
  files.family = sdxl ? "SDXL" : sd2 ? "SD 2.x" : "SD 1.x";

  refuse_misfit(file->path(), out_of_range(files.unet));
  refuse_misfit(file->path(), out_of_range(files.vae));
  const int levels = static_cast<int>(files.unet.block_out_channels.size());
  files.unet_weights = map_keys(file, {kUNet, &kLdmUNet, files.unet.layers_per_block, levels, files.unet.cross_attention}, {});
  files.vae_weights =
      map_keys(file, {kVae, &kLdmVae, files.vae.layers_per_block, static_cast<int>(files.vae.block_out_channels.size())},
               {"loss.", "logvar", "model_ema."});
  if (sdxl)
    detect_sdxl_text(files, file, keys);
  else
    detect_text(files, file, keys);
  check_tensors(*files.unet_weights, unet_tensors(files.unet), false);
  check_tensors(*files.vae_weights, vae_tensors(files.vae), false);
  return files;
}

ModelFiles open_single_file(const std::string& path, Prediction prediction) {
  char magic[4] = {};
  std::error_code none;
  if (std::filesystem::is_regular_file(path, none))  // opening a named pipe that nobody writes would wait for ever
    std::ifstream(path, std::ios::binary).read(magic, sizeof magic);
  const std::string start(magic, sizeof magic), end = path.substr(std::min(path.size(), path.find_last_of('.')));
  if (start == "GGUF" || end == ".gguf")
    throw error(
        Error::Kind::model,
        _("{0} is a GGUF file, made for other programs. Use the model it was made from, as .safetensors or as a diffusers "
          "folder."),
        path);
  if (start == std::string("PK\3\4", 4) || start.substr(0, 2) == "\x80\2" || end == ".ckpt" || end == ".pt" || end == ".pth" ||
      end == ".bin")
    throw error(Error::Kind::model,
                _("{0} is a pickle, which could run programs when it is opened. Convert it to .safetensors first: python3 -c "
                  "\"import torch, "
                  "safetensors.torch as s; d = torch.load('model.ckpt', weights_only=True); s.save_file(d.get('state_dict', d), "
                  "'model.safetensors')\""),
                path);
  ModelFiles files = single_file_model(open_safetensors(path), prediction);
  for (const auto& wrong : {indivisible(files.unet), indivisible(files.vae), indivisible(files.text), indivisible(files.text_2)})
    refuse_misfit(path, wrong);
  return files;
}

}  // namespace geometry_transfer
