// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/conditioning.h"

#include <cstring>

#include "diffusion/prompt_cache.h"
#include "diffusion/text_encoder.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

std::vector<float> numbers_of(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.to(at::kFloat).contiguous();
  const float* data = plain.data_ptr<float>();
  return {data, data + plain.numel()};
}

at::Tensor tensor_of(const std::vector<float>& numbers, at::IntArrayRef shape) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  std::memcpy(tensor.data_ptr<float>(), numbers.data(), numbers.size() * sizeof(float));
  return tensor;
}

PromptEmbedding evaluate(const ModelFiles& files) {
  const auto run = [](const TextConfig& config, const std::shared_ptr<const Checkpoint>& weights) {
    const std::vector<std::int64_t> ids = empty_prompt_ids(config);
    return encode_text(config, weights, at::tensor(ids, at::kLong).unsqueeze(0));
  };
  const auto hidden = [](const TextConfig& config, const TextOutput& out) {
    return config.penultimate ? out.penultimate : out.last_hidden_state;
  };
  const TextOutput first = run(files.text, files.text_weights);
  at::Tensor context = hidden(files.text, first);
  PromptEmbedding e;
  if (files.text_2_weights) {
    const TextOutput second = run(files.text_2, files.text_2_weights);
    if (context.size(1) != files.text_2.max_positions)
      throw error(Error::Kind::model, _("{0}: its two text encoders read texts of different length."), files.name);
    context = at::cat({context, hidden(files.text_2, second)}, -1);
    e.pooled = numbers_of(second.pooled);
  }
  if (!at::isfinite(context).all().item<bool>())
    throw error(Error::Kind::model, _("{0}: its text encoder gives no finite numbers: download the model again."), files.name);
  e.tokens = context.size(1);
  e.width = context.size(2);
  e.context = numbers_of(context);
  return e;
}

bool fits(const ModelFiles& files, const PromptEmbedding& e) {
  const int pooled = files.unet.text_time
                         ? files.unet.projection_class_embeddings_input_dim - 6 * files.unet.addition_time_embed_dim
                         : static_cast<int>(e.pooled.size());
  return e.width == files.unet.cross_attention_dim && static_cast<int>(e.pooled.size()) == pooled;
}

PromptEmbedding embedding_of(const ModelFiles& files) {
  const std::string family = family_fingerprint(files);
  if (!files.text_weights || (files.unet.text_time && !files.text_2_weights)) {
    // Published text encoders are mostly the same in all models of a family, so another model's embedding fits.
    const auto known = read_prompt_cache(family);
    if (known && fits(files, *known)) return *known;
    throw error(
        Error::Kind::model,
        _("{0} has no text encoder. Add its folder text_encoder ({1}), or run another {2} model once, whose embedding is then "
          "used."),
        files.name, files.unet.text_time ? "text_encoder_2" : "config.json, model.safetensors", files.family);
  }
  const std::string own = text_fingerprint(files);
  if (const auto known = read_prompt_cache(own); known && fits(files, *known)) return *known;
  const PromptEmbedding embedding = evaluate(files);
  if (!fits(files, embedding))
    throw error(Error::Kind::model,
                _("{0}: its text encoder gives {1} numbers a token, its UNet reads {2}. They are not of one model."), files.name,
                embedding.width, files.unet.cross_attention_dim);
  write_prompt_cache(own, embedding);
  write_prompt_cache(family, embedding);
  return embedding;
}

}  // namespace

Conditioning empty_prompt(const ModelFiles& files, at::ScalarType dtype, at::Device device) {
  const auto options = at::TensorOptions().dtype(dtype).device(device);
  if (!reads_text(files)) return {at::zeros({1, 1, files.unet.cross_attention_dim}, options), {}, {}};
  const PromptEmbedding e = embedding_of(files);
  Conditioning c;
  c.context = tensor_of(e.context, {1, e.tokens, e.width}).to(options);
  if (files.unet.text_time) c.pooled = tensor_of(e.pooled, {1, static_cast<int64_t>(e.pooled.size())}).to(options);
  return c;
}

Conditioning for_size(Conditioning conditioning, const UNetConfig& unet, Size size) {
  if (!unet.text_time) return conditioning;
  const auto height = static_cast<float>(size.height), width = static_cast<float>(size.width);
  const float ids[] = {height, width, 0, 0, height, width};  // original size, crop, target size
  conditioning.time_ids = at::tensor(at::ArrayRef<float>(ids), at::kFloat).unsqueeze(0);
  return conditioning;
}

}  // namespace geometry_transfer
