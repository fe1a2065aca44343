#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw physical cases whose geometry is turned or mirrored on the target, under the same light.

    make_turned.py TEXTURES.npy OUT SEED COUNT
    geometry-transfer --batch OUT/jobs.json          writes OUT/results/NN-KIND.png
    score.py OUT OUT/results --by-kind

Each OUT/NN-KIND/ holds source, reference-mask, target, truth and mask (320 x 320 PNG). The truth is the geometry turned by 90, 180
or 270 degrees or mirrored left-right, rendered with the source's light. `mask` is the reference's mask after the turn, for score.py.
OUT/jobs.json is a list for --batch with the placement of each case. TEXTURES.npy and the needs are those of make_physical.py.
"""
import json
import os
import sys

import numpy as np
import torch

from make_physical import CASES, NAMES, render, save

SIDE = 320
TURNS = (90, 180, 270, "flip")


def turned(x, turn):
    return x.flip(-1) if turn == "flip" else torch.rot90(x, turn // 90, (-2, -1))


def shift_of(mask, turn):
    """The program turns about the pixel corner nearest to the mask's centre; the truth is turned about the picture's."""
    ys, xs = np.nonzero(mask > 0.5)
    x, y = round(xs.mean() + 0.5), round(ys.mean() + 0.5)
    to = (SIDE - x, y)
    if turn != "flip":
        to = (x, y)
        for _ in range(turn // 90):
            to = (to[1], SIDE - to[0])
    return to[0] - x, to[1] - y


def draw(pool, kind, g):
    """-> pictures by name (3, n, n), masks by name (n, n), and the turn."""
    while True:
        h, m, _, p = render.draw_geometry(1, SIDE, g, [kind])
        a, material, substrate = (render.crops(pool, 1, SIDE, g) for _ in range(3))
        source = render.render(a, h, p, substrate)[0]
        mask = render.rough_mask(m, g)
        if 0.01 < mask.mean() < 0.45 and material.std() > 0.03:
            break
    source = render.camera(source, g)
    turn = TURNS[int(torch.randint(len(TURNS), (1,), generator=g))]
    truth = render.to_display(render.render(material, turned(h, turn), p, substrate)[0])
    return dict(source=source[0], target=material[0], truth=truth[0]), {"reference-mask": mask[0], "mask": turned(mask, turn)[0]}, turn


def main():
    textures, out, seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    pool, g, jobs = torch.from_numpy(np.load(textures)), torch.Generator().manual_seed(seed), []
    for i in range(count):
        pictures, masks, turn = draw(pool, i % CASES, g)
        name = f"{i:02d}-{NAMES[i % CASES]}"
        save(f"{out}/{name}", pictures, masks)
        dx, dy = shift_of(masks["reference-mask"].numpy(), turn)
        placement = {"flip": True} if turn == "flip" else {"rotation": turn}
        jobs.append({"target": f"{name}/target.png", "source": f"{name}/source.png", "mask": f"{name}/reference-mask.png",
                     "output": f"results/{name}.png", "shift-x": dx, "shift-y": dy, **placement})
    os.makedirs(f"{out}/results", exist_ok=True)
    with open(f"{out}/jobs.json", "w") as f:
        json.dump(jobs, f, indent=1)


if __name__ == "__main__":
    main()
