# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a whole transfer through each tiny family of this folder with prototype.py: all four streams, both attentions,
fp32.

usage: make_transfer.py OUT.safetensors      (needs torch, diffusers, safetensors; reads the models beside this
file)"""
import os, sys, torch, torch.nn.functional as F
from safetensors.torch import load_file, save_file
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from prototype import Pipe, colour_adjust

here = os.path.dirname(os.path.abspath(__file__))
torch.set_grad_enabled(False)
g = torch.Generator().manual_seed(7)


class Recorded(Pipe):
    """Keeps the latents after each step of the generation."""
    def move(self, z, e, t_from, t_to):
        z = super().move(z, e, t_from, t_to)
        if t_to < t_from: self.generated.append(z)
        return z


def picture(coarse):  # smooth, with a little of everything fine; in half precision, so that nothing is lost on disk
    p = F.interpolate(torch.rand(1, 3, *coarse, generator=g), (128, 96), mode="bicubic")
    return (0.15 + 0.7 * p + 0.05 * torch.randn(1, 3, 128, 96, generator=g)).clamp(0, 1).half().float()


src, tar = picture((9, 7)), picture((5, 4))
y, x = torch.meshgrid(torch.arange(128.0), torch.arange(96.0), indexing="ij")
mask = (((y - 70) / 34) ** 2 + ((x - 44) / 22) ** 2 < 1).float()[None, None]
edit = colour_adjust(src, tar, mask, mask).clamp(0, 1).half().float()
out = {"image.source": src.half(), "image.target": tar.half(), "image.edit": edit.half(), "image.mask": mask.half()}

for name in ("sd15", "sd21", "sdxl"):
    d = f"{here}/{name}"
    unet = UNet2DConditionModel.from_pretrained(d + "/unet").eval()
    vae = AutoencoderKL.from_pretrained(d + "/vae").eval()
    scheduler = DDIMScheduler.from_pretrained(d + "/scheduler")
    text = load_file(d + "/golden_text.safetensors")
    context = text["text_encoder.last_hidden_state"]
    if name == "sdxl":
        context = torch.cat([text["text_encoder.penultimate"], text["text_encoder_2.penultimate"]], -1)
        plain = unet.forward
        ids = torch.tensor([[128.0, 96, 0, 0, 128, 96]])
        unet.forward = lambda z, t, c: plain(z, t, c, added_cond_kwargs={
            "text_embeds": text["text_encoder_2.pooled"].expand(z.shape[0], -1), "time_ids": ids.expand(z.shape[0], -1)})
    pipe = Recorded(unet, vae, scheduler.alphas_cumprod, scheduler.config.prediction_type, context)
    pipe.generated = []
    decoded, _, walked = pipe.run(src, tar, mask, geo=edit, strength=0, steps=4, iters=2, gp=("src", "geo", "tar", "out"))
    out[name + ".inverted"] = torch.stack(walked[1:])       # (steps, [source target geometry], C, h, w)
    out[name + ".generated"] = torch.stack(pipe.generated)  # (steps, 1, C, h, w), noisy to clean
    out[name + ".decoded"] = decoded.half()
    print(name, {k: float(v.float().std()) for k, v in out.items() if k.startswith(name)})
save_file({k: v.contiguous() for k, v in out.items()}, sys.argv[1])
