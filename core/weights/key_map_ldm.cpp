// SPDX-License-Identifier: GPL-3.0-or-later
/// The rows of single-file checkpoints in the naming of the original latent diffusion code, and of OpenCLIP.
/// After https://github.com/CompVis/stable-diffusion (ldm/modules/diffusionmodules/openaimodel.py, model.py),
/// https://github.com/mlfoundations/open_clip (src/open_clip/transformer.py) and the module names of diffusers and transformers.
#include "weights/key_map.h"

namespace geometry_transfer {
namespace {

const std::vector<NameRow> unet_resnet = {
    {"in_layers.0", "norm1"},  {"in_layers.2", "conv1"},  {"emb_layers.1", "time_emb_proj"},
    {"out_layers.0", "norm2"}, {"out_layers.3", "conv2"}, {"skip_connection", "conv_shortcut"},
};

const std::vector<NameRow> vae_resnet = {
    {"norm1", "norm1"}, {"conv1", "conv1"}, {"norm2", "norm2"}, {"conv2", "conv2"}, {"nin_shortcut", "conv_shortcut"},
};

const std::vector<NameRow> vae_attention = {
    {"norm", "group_norm"},
    {"q.weight", "to_q.weight", 0, 1, false, true},
    {"k.weight", "to_k.weight", 0, 1, false, true},
    {"v.weight", "to_v.weight", 0, 1, false, true},
    {"proj_out.weight", "to_out.0.weight", 0, 1, false, true},
    {"q.bias", "to_q.bias"},
    {"k.bias", "to_k.bias"},
    {"v.bias", "to_v.bias"},
    {"proj_out.bias", "to_out.0.bias"},
    // Names of diffusers 0.18 and later, then earlier names. Some converters leave them in single files.
    {"group_norm", "group_norm"},
    {"to_q.weight", "to_q.weight", 0, 1, false, true},
    {"to_k.weight", "to_k.weight", 0, 1, false, true},
    {"to_v.weight", "to_v.weight", 0, 1, false, true},
    {"to_out.0.weight", "to_out.0.weight", 0, 1, false, true},
    {"to_q.bias", "to_q.bias"},
    {"to_k.bias", "to_k.bias"},
    {"to_v.bias", "to_v.bias"},
    {"to_out.0.bias", "to_out.0.bias"},
    {"query.weight", "to_q.weight", 0, 1, false, true},
    {"key.weight", "to_k.weight", 0, 1, false, true},
    {"value.weight", "to_v.weight", 0, 1, false, true},
    {"proj_attn.weight", "to_out.0.weight", 0, 1, false, true},
    {"query.bias", "to_q.bias"},
    {"key.bias", "to_k.bias"},
    {"value.bias", "to_v.bias"},
    {"proj_attn.bias", "to_out.0.bias"},
};

const std::vector<NameRow> old_vae_attention = {
    {"group_norm", "group_norm"}, {"query", "to_q"}, {"key", "to_k"}, {"value", "to_v"}, {"proj_attn", "to_out.0"},
};

const std::vector<NameRow> open_clip_layer = {
    {"ln_1", "layer_norm1"},
    {"ln_2", "layer_norm2"},
    {"mlp.c_fc", "mlp.fc1"},
    {"mlp.c_proj", "mlp.fc2"},
    {"attn.out_proj", "self_attn.out_proj"},
    {"attn.in_proj_weight", "self_attn.q_proj.weight", 0, 3},
    {"attn.in_proj_weight", "self_attn.k_proj.weight", 1, 3},
    {"attn.in_proj_weight", "self_attn.v_proj.weight", 2, 3},
    {"attn.in_proj_bias", "self_attn.q_proj.bias", 0, 3},
    {"attn.in_proj_bias", "self_attn.k_proj.bias", 1, 3},
    {"attn.in_proj_bias", "self_attn.v_proj.bias", 2, 3},
};

// Rows for a tensor without further name components: as it is, or transposed.
const std::vector<NameRow> whole = {{"", ""}};
const std::vector<NameRow> turned = {{"", "", 0, 1, true}};

}  // namespace

// The first row that matches wins: resolution changes before resnets and attentions of the same number.
const std::vector<BlockRow> kLdmUNet = {
    {"time_embed.0", "time_embedding.linear_1"},
    {"time_embed.2", "time_embedding.linear_2"},
    {"label_emb.0.0", "add_embedding.linear_1"},
    {"label_emb.0.2", "add_embedding.linear_2"},
    {"input_blocks.0.0", "conv_in"},
    {"out.0", "conv_norm_out"},
    {"out.2", "conv_out"},
    {"input_blocks.{i}.0.op", "down_blocks.{b}.downsamplers.0.conv"},
    {"input_blocks.{i}.0", "down_blocks.{b}.resnets.{j}", &unet_resnet},
    {"input_blocks.{i}.1", "down_blocks.{b}.attentions.{j}", nullptr, 1},
    {"middle_block.0", "mid_block.resnets.0", &unet_resnet},
    {"middle_block.1", "mid_block.attentions.0"},
    {"middle_block.2", "mid_block.resnets.1", &unet_resnet},
    {"output_blocks.{o}.2.conv", "up_blocks.{b}.upsamplers.0.conv", nullptr, 1},
    {"output_blocks.{o}.1.conv", "up_blocks.{b}.upsamplers.0.conv", nullptr, 0},
    {"output_blocks.{o}.0", "up_blocks.{b}.resnets.{j}", &unet_resnet},
    {"output_blocks.{o}.1", "up_blocks.{b}.attentions.{j}", nullptr, 1},
};

const std::vector<BlockRow> kLdmVae = {
    {"quant_conv", "quant_conv"},
    {"post_quant_conv", "post_quant_conv"},
    {"encoder.conv_in", "encoder.conv_in"},
    {"encoder.conv_out", "encoder.conv_out"},
    {"encoder.norm_out", "encoder.conv_norm_out"},
    {"encoder.down.{n}.block.{m}", "encoder.down_blocks.{n}.resnets.{m}", &vae_resnet},
    {"encoder.down.{n}.downsample.conv", "encoder.down_blocks.{n}.downsamplers.0.conv"},
    {"encoder.mid.block_1", "encoder.mid_block.resnets.0", &vae_resnet},
    {"encoder.mid.attn_1", "encoder.mid_block.attentions.0", &vae_attention},
    {"encoder.mid.block_2", "encoder.mid_block.resnets.1", &vae_resnet},
    {"decoder.conv_in", "decoder.conv_in"},
    {"decoder.conv_out", "decoder.conv_out"},
    {"decoder.norm_out", "decoder.conv_norm_out"},
    {"decoder.up.{r}.block.{m}", "decoder.up_blocks.{r}.resnets.{m}", &vae_resnet},
    {"decoder.up.{r}.upsample.conv", "decoder.up_blocks.{r}.upsamplers.0.conv"},
    {"decoder.mid.block_1", "decoder.mid_block.resnets.0", &vae_resnet},
    {"decoder.mid.attn_1", "decoder.mid_block.attentions.0", &vae_attention},
    {"decoder.mid.block_2", "decoder.mid_block.resnets.1", &vae_resnet},
};

const std::vector<BlockRow> kClipText = {
    {"text_model.embeddings", "text_model.embeddings"},
    {"text_model.encoder", "text_model.encoder"},
    {"text_model.final_layer_norm", "text_model.final_layer_norm"},
    {"text_projection", "text_projection"},
    // Early files of SD 1 and what transformers 5 saves.
    {"embeddings", "text_model.embeddings"},
    {"encoder", "text_model.encoder"},
    {"final_layer_norm", "text_model.final_layer_norm"},
};

const std::vector<BlockRow> kOpenClip = {
    {"token_embedding", "text_model.embeddings.token_embedding"},
    {"positional_embedding", "text_model.embeddings.position_embedding.weight", &whole},
    {"transformer.resblocks.{n}", "text_model.encoder.layers.{n}", &open_clip_layer},
    {"ln_final", "text_model.final_layer_norm"},
    {"text_projection", "text_projection.weight", &turned},
};

const std::vector<BlockRow> kOldVae = {
    {"encoder.mid_block.attentions.0", "encoder.mid_block.attentions.0", &old_vae_attention},
    {"decoder.mid_block.attentions.0", "decoder.mid_block.attentions.0", &old_vae_attention},
    {"encoder", "encoder"},
    {"decoder", "decoder"},
    {"quant_conv", "quant_conv"},
    {"post_quant_conv", "post_quant_conv"},
};

}  // namespace geometry_transfer
