// SPDX-License-Identifier: GPL-3.0-or-later
/// Configurations of the published models at full size, for tests that need no weights.
#pragma once

#include "weights/model_files.h"

namespace geometry_transfer::test {

/// Configurations only. https://huggingface.co/stable-diffusion-v1-5/stable-diffusion-v1-5
inline ModelFiles sd15() {
  ModelFiles m;
  m.name = "sd15";
  m.family = "SD 1.x";
  m.unet.block_out_channels = {320, 640, 1280, 1280};
  m.unet.cross_attention = {true, true, true, false};
  m.unet.heads = {8, 8, 8, 8};
  m.unet.transformer_layers = {1, 1, 1, 1};
  m.vae.block_out_channels = {128, 256, 512, 512};
  m.text.layers = 12;
  return m;
}

/// https://huggingface.co/stabilityai/stable-diffusion-2-1
inline ModelFiles sd21() {
  ModelFiles m = sd15();
  m.name = "sd21";
  m.family = "SD 2.x";
  m.unet.heads = {5, 10, 20, 20};
  m.unet.cross_attention_dim = 1024;
  m.unet.use_linear_projection = true;
  m.unet.upcast_attention = true;
  m.unet.sample_size = 96;
  m.scheduler.prediction_type = PredictionType::v_prediction;
  m.text.layers = 23;
  m.text.hidden_size = 1024;
  m.text.intermediate_size = 4096;
  m.text.heads = 16;
  m.text.quick_gelu = false;
  return m;
}

/// https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0
inline ModelFiles sdxl() {
  ModelFiles m = sd15();
  m.name = "sdxl";
  m.family = "SDXL";
  m.unet.block_out_channels = {320, 640, 1280};
  m.unet.cross_attention = {false, true, true};
  m.unet.heads = {5, 10, 20};
  m.unet.transformer_layers = {1, 2, 10};
  m.unet.cross_attention_dim = 2048;
  m.unet.use_linear_projection = true;
  m.unet.sample_size = 128;
  m.unet.text_time = true;
  m.unet.addition_time_embed_dim = 256;
  m.unet.projection_class_embeddings_input_dim = 2816;
  m.vae.scaling_factor = 0.13025;
  m.vae.force_upcast = true;
  m.text.penultimate = true;
  m.text_2.layers = 32;
  m.text_2.hidden_size = 1280;
  m.text_2.intermediate_size = 5120;
  m.text_2.heads = 20;
  m.text_2.quick_gelu = false;
  m.text_2.projection_dim = 1280;
  m.text_2.penultimate = true;
  return m;
}

}  // namespace geometry_transfer::test
