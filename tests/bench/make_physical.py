#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw physical cases: one geometry rendered on two materials in linear light.

    make_physical.py TEXTURES.npy OUT SEED COUNT

Each OUT/NN-KIND/ holds source, target, truth and mask (320 x 320 PNG). The eleven kinds come in turn. The light casts shadows, the
material has gloss and micro relief, droplets refract, chips lay a substrate bare, and a camera takes the source
(core/models/relief/training/render.py). TEXTURES.npy comes from core/models/relief/training/textures.py; take ufoai-textures, which
no network was trained on. Score with score.py. Needs PyTorch, numpy and Pillow.
"""
import json
import os
import sys

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../core/models/relief/training"))
import render  # noqa: E402
from shapes import CASES, NAMES  # noqa: E402


def save(folder, pictures, masks):
    """Writes FOLDER/NAME.png for each picture (3, n, n) and each mask (n, n); values in [0, 1]."""
    os.makedirs(folder, exist_ok=True)
    for name, picture in pictures.items():
        pixels = (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(f"{folder}/{name}.png")
    for name, mask in masks.items():
        Image.fromarray((mask * 255).byte().numpy()).save(f"{folder}/{name}.png")


def main():
    textures, out, seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    pool, g, cases = torch.from_numpy(np.load(textures)), torch.Generator().manual_seed(seed), []
    for i in range(count):
        kind = i % CASES
        while True:
            d = render.draw_pairs(pool, 1, 320, g, [kind])
            if 0.01 < d["mask"].mean() < 0.45 and d["target"].std() > 0.03:
                break
        name = f"{i:02d}-{NAMES[kind]}"
        save(f"{out}/{name}", {key: d[key][0] for key in ("source", "target", "truth")}, {"mask": d["mask"][0]})
        cases.append(dict(case=name, kind=NAMES[kind], mask_share=round(d["mask"].mean().item(), 4)))
    with open(f"{out}/cases.json", "w") as f:
        json.dump(cases, f, indent=1)


if __name__ == "__main__":
    main()
