# SPDX-License-Identifier: GPL-3.0-or-later
"""pairs.py TEXTURES.npy MODEL OUT.pt SEED COUNT [--from N] [--to N]: latents of edits and of what they should have been.

Draws COUNT pairs of 224 px with the renderer of the relief network, makes the edit of each with that network, cuts two crops of
96 px out of each on its selection, and encodes them with the VAE of the model folder MODEL. --from and --to take a part of the
textures, so that validation has textures of its own.

OUT.pt holds edit, target, truth (N, 4, 24, 24) latents, mask (N, 1, 24, 24) in [0, 1], kind (N), and as bytes the pictures of the
crops: edit_px, target_px, truth_px (N, 3, 96, 96), mask_px (N, 1, 96, 96).
"""
import argparse
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from safetensors.torch import load_file

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../relief/training"))
import network  # noqa: E402
import render  # noqa: E402

SIDE, CROP, CROPS, BATCH = 224, 96, 2, 8


def relief_network():
    net = network.ReliefNet()
    net.load({k: v.float() for k, v in load_file(os.path.join(HERE, "../../relief/relief.safetensors")).items()})
    return net.eval()


def edits(net, d):
    """The edit of each pair, as Instant makes it but for its limits near white."""
    mask = (d["mask"] > 0.5).float()[:, None]
    return network.compose(d["target"], d["source"], *network.layers(net, d["source"], mask)).clamp(0, 1)


def cut(d, g):
    """CROPS crops of each pair, each round a random pixel of its selection."""
    out = {k: [] for k in ("edit", "target", "truth", "mask")}
    for i in range(len(d["mask"])):
        y, x = torch.nonzero(d["mask"][i, 0] > 0.5, as_tuple=True)
        for _ in range(CROPS):
            j = int(torch.randint(len(y), (1,), generator=g))
            top, left = (min(max(0, int(c[j]) - CROP // 2), SIDE - CROP) for c in (y, x))
            for k in out:
                out[k].append(d[k][i, :, top:top + CROP, left:left + CROP])
    return {k: torch.stack(v) for k, v in out.items()}


def encode(vae, x):
    return vae.encode(x * 2 - 1).latent_dist.mean * vae.config.scaling_factor


@torch.no_grad()
def main():
    a = argparse.ArgumentParser()
    a.add_argument("textures"), a.add_argument("model"), a.add_argument("out")
    a.add_argument("seed", type=int), a.add_argument("count", type=int)
    a.add_argument("--from", dest="first", type=int), a.add_argument("--to", type=int)
    a = a.parse_args()
    torch.set_num_threads(1)
    pool = torch.from_numpy(np.load(a.textures, mmap_mode="c"))[a.first:a.to]
    g = torch.Generator().manual_seed(a.seed)
    net, vae = relief_network(), AutoencoderKL.from_pretrained(os.path.join(a.model, "vae"), torch_dtype=torch.float32).eval()
    made, drawn = [], 0
    while drawn < a.count:
        d = render.draw_pairs(pool, BATCH, SIDE, g)
        share = d["mask"].mean((1, 2))
        keep = (share > 0.01) & (share < 0.5)
        d = {k: d[k][keep] for k in ("source", "target", "truth", "mask", "kind")}
        if len(d["mask"]) == 0:
            continue
        drawn += len(d["mask"])
        d["edit"] = edits(net, d)
        d["mask"] = d["mask"][:, None]
        c = cut(d, g)
        byte = lambda x: (x * 255).round().byte()
        n = len(c["mask"])
        z = encode(vae, torch.cat([c["edit"], c["target"], c["truth"]]))
        made.append(dict(edit=z[:n], target=z[n:2 * n], truth=z[2 * n:], mask=F.adaptive_avg_pool2d(c["mask"], CROP // 4),
                         kind=d["kind"].repeat_interleave(CROPS), **{k + "_px": byte(v) for k, v in c.items()}))
        print(drawn, flush=True)
        torch.save({k: torch.cat([m[k] for m in made]) for k in made[0]}, a.out)


if __name__ == "__main__":
    main()
