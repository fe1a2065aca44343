"""draw.py TEXTURES.npy FOLDER SEED COUNT: training pairs as shards of 32 in FOLDER, written one after the other.

Half of them are drawn at 224 pixels, of which training cuts 160, the others at 160 as a whole: geometries of two sizes.
The oldest shards are replaced once COUNT of them lie there, so that a long training does not fill the disk."""
import os
import sys

import numpy as np
import torch

import render
from shapes import NAMES

SHARE = {"droplets": 2, "crack": 2, "hairlines": 3, "scratches": 2}  # times as often as the others


def main():
    textures, folder, seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(1)
    pool = torch.from_numpy(np.load(textures, mmap_mode="c"))
    g = torch.Generator().manual_seed(seed)
    kinds = [i for i, name in enumerate(NAMES) for _ in range(SHARE.get(name, 1))]
    byte = lambda x: (x.clamp(0, 1) * 255).round().byte().numpy()
    os.makedirs(folder, exist_ok=True)
    i = 0
    while True:
        n = 160 if i % 2 == 0 else 224
        d = render.draw_pairs(pool, 32, n, g, kinds, extras=True)
        share = d["mask"].mean((1, 2))
        ok = (share > 0.008) & (share < 0.6)
        part = f"{folder}/part{seed}.npz"
        np.savez(part, **{k: byte(d[k][ok]) for k in ("source", "target", "truth", "mask", "own")},
                 shift=(d["shift"][ok] * 8).round().clamp(-127, 127).to(torch.int8).numpy())
        os.rename(part, f"{folder}/{seed}_{i % count:05d}.npz")
        i += 1


if __name__ == "__main__":
    main()
