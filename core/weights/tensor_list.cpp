// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/tensor_list.h"

#include <set>

#include "request/text.h"

namespace geometry_transfer {
namespace {

using std::to_string;

/// Collects tensors under a prefix, as the modules of the reference implementations nest.
class List {
 public:
  List(std::vector<TensorSpec>& all, std::string prefix) : all_(all), prefix_(std::move(prefix)) {}
  List operator[](const std::string& name) const { return {all_, prefix_ + name + "."}; }
  List operator[](int index) const { return (*this)[to_string(index)]; }

  void tensor(const std::string& name, std::vector<std::int64_t> shape) const {
    all_.push_back({prefix_ + name, std::move(shape)});
  }
  void linear(const std::string& name, int in, int out, bool bias = true) const {
    (*this)[name].tensor("weight", {out, in});
    if (bias) (*this)[name].tensor("bias", {out});
  }
  void conv(const std::string& name, int in, int out, int kernel) const {
    (*this)[name].tensor("weight", {out, in, kernel, kernel});
    (*this)[name].tensor("bias", {out});
  }
  void norm(const std::string& name, int channels) const {
    (*this)[name].tensor("weight", {channels});
    (*this)[name].tensor("bias", {channels});
  }

 private:
  std::vector<TensorSpec>& all_;
  std::string prefix_;
};

/// time: channels of the time embedding; 0 in a VAE, which has none.
void resnet(const List& list, int in, int out, int time) {
  list.norm("norm1", in);
  list.conv("conv1", in, out, 3);
  if (time) list.linear("time_emb_proj", time, out);
  list.norm("norm2", out);
  list.conv("conv2", out, out, 3);
  if (in != out) list.conv("conv_shortcut", in, out, 1);
}

void attention(const List& list, int channels, int context) {
  list.linear("to_q", channels, channels, false);
  list.linear("to_k", context, channels, false);
  list.linear("to_v", context, channels, false);
  list["to_out"].linear("0", channels, channels);
}

void transformer(const List& list, const UNetConfig& config, int channels, int layers) {
  const auto project = [&](const char* name) {
    config.use_linear_projection ? list.linear(name, channels, channels) : list.conv(name, channels, channels, 1);
  };
  list.norm("norm", channels);
  project("proj_in");
  for (int k = 0; k < layers; ++k) {
    const List block = list["transformer_blocks"][k];
    for (const char* norm : {"norm1", "norm2", "norm3"}) block.norm(norm, channels);
    attention(block["attn1"], channels, channels);
    attention(block["attn2"], channels, config.cross_attention_dim);
    block["ff"]["net"]["0"].linear("proj", channels, 8 * channels);  // GEGLU: 4 x channels, and a gate of the same size
    block["ff"]["net"].linear("2", 4 * channels, channels);
  }
  project("proj_out");
}

void vae_middle(const List& list, int channels, bool attends) {
  resnet(list["resnets"][0], channels, channels, 0);
  resnet(list["resnets"][1], channels, channels, 0);
  if (!attends) return;
  const List attention = list["attentions"][0];
  attention.norm("group_norm", channels);
  for (const char* name : {"to_q", "to_k", "to_v"}) attention.linear(name, channels, channels);
  attention["to_out"].linear("0", channels, channels);
}

}  // namespace

std::vector<TensorSpec> unet_tensors(const UNetConfig& config) {
  std::vector<TensorSpec> all;
  const List list(all, "");
  const std::vector<int>& channels = config.block_out_channels;
  const int levels = static_cast<int>(channels.size()), layers = config.layers_per_block;
  const int first = channels.front(), last = channels.back(), time = 4 * first;

  list.conv("conv_in", config.in_channels, first, 3);
  list["time_embedding"].linear("linear_1", first, time);
  list["time_embedding"].linear("linear_2", time, time);
  if (config.text_time) {
    list["add_embedding"].linear("linear_1", config.projection_class_embeddings_input_dim, time);
    list["add_embedding"].linear("linear_2", time, time);
  }
  std::vector<int> skips = {first};  // channels that each resnet of the way up also reads
  for (int b = 0; b < levels; ++b) {
    const List block = list["down_blocks"][b];
    for (int j = 0; j < layers; ++j) {
      resnet(block["resnets"][j], j || !b ? channels[b] : channels[b - 1], channels[b], time);
      if (config.cross_attention[b]) transformer(block["attentions"][j], config, channels[b], config.transformer_layers[b]);
      skips.push_back(channels[b]);
    }
    if (b + 1 < levels) {
      block["downsamplers"]["0"].conv("conv", channels[b], channels[b], 3);
      skips.push_back(channels[b]);
    }
  }
  const List middle = list["mid_block"];
  resnet(middle["resnets"][0], last, last, time);
  transformer(middle["attentions"][0], config, last, config.transformer_layers.back());
  resnet(middle["resnets"][1], last, last, time);

  int carried = last;
  for (int b = 0; b < levels; ++b) {
    const int level = levels - 1 - b;
    const List block = list["up_blocks"][b];
    for (int j = 0; j <= layers; ++j) {
      resnet(block["resnets"][j], carried + skips.back(), channels[level], time);
      skips.pop_back();
      carried = channels[level];
      if (config.cross_attention[level]) transformer(block["attentions"][j], config, carried, config.transformer_layers[level]);
    }
    if (level > 0) block["upsamplers"]["0"].conv("conv", carried, carried, 3);
  }
  list.norm("conv_norm_out", first);
  list.conv("conv_out", first, config.out_channels, 3);
  return all;
}

std::vector<TensorSpec> vae_tensors(const VaeConfig& config) {
  std::vector<TensorSpec> all;
  const List list(all, ""), encoder = list["encoder"], decoder = list["decoder"];
  const std::vector<int>& channels = config.block_out_channels;
  const int levels = static_cast<int>(channels.size()), layers = config.layers_per_block, z = config.latent_channels;

  encoder.conv("conv_in", config.in_channels, channels.front(), 3);
  for (int b = 0; b < levels; ++b) {
    const List block = encoder["down_blocks"][b];
    for (int j = 0; j < layers; ++j) resnet(block["resnets"][j], j || !b ? channels[b] : channels[b - 1], channels[b], 0);
    if (b + 1 < levels) block["downsamplers"]["0"].conv("conv", channels[b], channels[b], 3);
  }
  vae_middle(encoder["mid_block"], channels.back(), config.mid_block_attention);
  encoder.norm("conv_norm_out", channels.back());
  encoder.conv("conv_out", channels.back(), 2 * z, 3);

  decoder.conv("conv_in", z, channels.back(), 3);
  vae_middle(decoder["mid_block"], channels.back(), config.mid_block_attention);
  for (int b = 0; b < levels; ++b) {
    const int level = levels - 1 - b;
    const List block = decoder["up_blocks"][b];
    for (int j = 0; j <= layers; ++j)
      resnet(block["resnets"][j], j || !b ? channels[level] : channels[level + 1], channels[level], 0);
    if (level > 0) block["upsamplers"]["0"].conv("conv", channels[level], channels[level], 3);
  }
  decoder.norm("conv_norm_out", channels.front());
  decoder.conv("conv_out", channels.front(), config.in_channels, 3);

  if (config.quant_conv) list.conv("quant_conv", 2 * z, 2 * z, 1);
  if (config.post_quant_conv) list.conv("post_quant_conv", z, z, 1);
  return all;
}

std::vector<TensorSpec> text_tensors(const TextConfig& config) {
  std::vector<TensorSpec> all;
  const List list(all, ""), model = list["text_model"];
  const int width = config.hidden_size;
  model["embeddings"]["token_embedding"].tensor("weight", {config.vocab_size, width});
  model["embeddings"]["position_embedding"].tensor("weight", {config.max_positions, width});
  for (int k = 0; k < config.layers; ++k) {
    const List layer = model["encoder"]["layers"][k];
    layer.norm("layer_norm1", width);
    layer.norm("layer_norm2", width);
    for (const char* name : {"q_proj", "k_proj", "v_proj", "out_proj"}) layer["self_attn"].linear(name, width, width);
    layer["mlp"].linear("fc1", width, config.intermediate_size);
    layer["mlp"].linear("fc2", config.intermediate_size, width);
  }
  model.norm("final_layer_norm", width);
  if (config.projection_dim) list.linear("text_projection", width, config.projection_dim, false);
  return all;
}

std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 5;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kShown; ++i) text += (i ? ", " : "") + names[i];
  return names.size() <= kShown ? text : sentence(_("{0} and {1} more"), text, names.size() - kShown);
}

std::uint64_t count_numbers(const std::vector<TensorSpec>& tensors) {
  std::uint64_t sum = 0;
  for (const TensorSpec& t : tensors) {
    std::uint64_t count = 1;
    for (const std::int64_t side : t.shape) count *= static_cast<std::uint64_t>(side);
    sum += count;
  }
  return sum;
}

void check_tensors(const Checkpoint& checkpoint, const std::vector<TensorSpec>& expected, bool allow_more) {
  std::vector<std::string> missing, other, more;
  std::set<std::string> known;
  for (const TensorSpec& spec : expected) {
    const TensorView* view = checkpoint.find(spec.key);
    if (!view)
      missing.push_back(spec.key);
    else if (view->shape != spec.shape)
      other.push_back(spec.key);
    known.insert(spec.key);
  }
  if (!allow_more)
    for (std::string& key : checkpoint.keys())
      if (!known.count(key)) more.push_back(std::move(key));
  if (!missing.empty())
    throw error(Error::Kind::model, _("{0} lacks {1} of its tensors: {2}. Download it again, or choose another model."),
                checkpoint.path(), missing.size(), some_of(missing));
  if (!other.empty())
    throw error(Error::Kind::model, _("{0} has tensors of another shape than its configuration asks for: {1}."),
                checkpoint.path(), some_of(other));
  if (!more.empty())
    throw error(Error::Kind::model, _("{0} has tensors that are not part of such a model: {1}."), checkpoint.path(),
                some_of(more));
}

}  // namespace geometry_transfer
