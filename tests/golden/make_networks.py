# SPDX-License-Identifier: GPL-3.0-or-later
"""Golden vectors of the Stable Diffusion family at tiny widths, from diffusers' own classes with random weights.

usage: make_networks.py OUT      (needs torch, diffusers, safetensors)
"""
import json, os, sys, torch
from safetensors.torch import save_file
from diffusers import UNet2DConditionModel, AutoencoderKL, DDIMScheduler
out = sys.argv[1]
torch.set_grad_enabled(False)

def shake(m, seed):
    g = torch.Generator().manual_seed(seed)
    for n, p in m.named_parameters():
        if p.ndim > 1: p.copy_(torch.randn(p.shape, generator=g) * (1.0 / p[0].numel()) ** 0.5)
        elif "norm" in n and n.endswith("weight"): p.copy_(1 + 0.1 * torch.randn(p.shape, generator=g))
        else: p.copy_(0.1 * torch.randn(p.shape, generator=g))
    return m.eval()

SD = dict(in_channels=4, out_channels=4, sample_size=16, layers_per_block=2, norm_num_groups=8)
FAM = {
 "sd15": dict(unet=dict(SD, block_out_channels=(16, 32, 48, 48), down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",), up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
              cross_attention_dim=24, attention_head_dim=4), pred="epsilon", scale=0.18215),
 "sd21": dict(unet=dict(SD, block_out_channels=(16, 32, 48, 48), down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",), up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
              cross_attention_dim=40, attention_head_dim=(2, 4, 6, 6), use_linear_projection=True), pred="v_prediction", scale=0.18215),
 "sdxl": dict(unet=dict(SD, block_out_channels=(16, 32, 48), down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
              cross_attention_dim=64, attention_head_dim=(2, 4, 6), use_linear_projection=True, transformer_layers_per_block=(1, 2, 3), addition_embed_type="text_time", addition_time_embed_dim=8,
              projection_class_embeddings_input_dim=40 + 6 * 8), pred="epsilon", scale=0.13025),
}
for name, f in FAM.items():
    d = os.path.join(out, name); os.makedirs(d, exist_ok=True)
    unet = shake(UNet2DConditionModel(**f["unet"]), 1)
    vae = shake(AutoencoderKL(block_out_channels=(8, 16, 24, 24) , down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=2, latent_channels=4, norm_num_groups=4, scaling_factor=f["scale"], sample_size=128), 2)
    sch = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type=f["pred"], clip_sample=False, set_alpha_to_one=False, steps_offset=1)
    unet.save_pretrained(d + "/unet"); vae.save_pretrained(d + "/vae"); sch.save_pretrained(d + "/scheduler")
    g = torch.Generator().manual_seed(3); G = {}
    x = torch.randn(2, 4, 16, 24, generator=g); c = torch.randn(2, 7, f["unet"]["cross_attention_dim"], generator=g)
    added = {"text_embeds": torch.randn(2, 40, generator=g), "time_ids": torch.tensor([[128., 192, 0, 0, 128, 192]] * 2)} if name == "sdxl" else None
    G.update({"unet.sample": x, "unet.encoder_hidden_states": c})
    if added: G.update({"unet.text_embeds": added["text_embeds"], "unet.time_ids": added["time_ids"]})
    for t in (1, 481, 951): G[f"unet.out.{t}"] = unet(x, t, c, added_cond_kwargs=added).sample
    im = torch.rand(1, 3, 128, 96, generator=g) * 2 - 1; post = vae.encode(im).latent_dist
    G.update({"vae.image": im, "vae.mean": post.mean, "vae.logvar": post.logvar, "vae.decoded": vae.decode(post.mean).sample})
    sch.set_timesteps(20); G["ddim.timesteps"] = sch.timesteps; G["ddim.alphas_cumprod"] = sch.alphas_cumprod
    z = torch.randn(1, 4, 16, 16, generator=g); G["ddim.start"] = z; cc = c[:1]; ad = {k: v[:1] for k, v in added.items()} if added else None
    for t in sch.timesteps: z = sch.step(unet(z, t, cc, added_cond_kwargs=ad).sample, t, z).prev_sample
    G["ddim.end"] = z
    save_file({k: v.contiguous().clone() for k, v in G.items()}, d + "/golden.safetensors")
    print(name, sum(p.numel() for p in unet.parameters()), sum(p.numel() for p in vae.parameters()), {k: tuple(v.shape) for k, v in G.items()})
