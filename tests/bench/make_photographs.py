#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""make_photographs.py TEXTURES OUT: cases from photographs under free licences, without a truth, to be judged by eye.

TEXTURES is a folder with the contents of Debian's packages ufoai-textures (its archive unpacked) and mate-backgrounds. Writes
OUT/CASE/{source,target,mask}.png, 480 px square. The selections are drawn by hand, as rough as a user draws them.
"""
import glob
import os
import sys

import cv2
import numpy as np

SIDE = 480

# Sources: file, left, top, side (pixels of the file), then the selection in percent of the crop's side: lines (width,
# points), areas (0, points) and ellipses (centre x, y, half axes).
SOURCES = {
    "end-grain": ("tree_chopped2.jpg", 40, 40, 160, [(5, [(59, 14), (57, 23), (53, 34), (48, 46), (45, 52), (41, 62), (38, 73)]),
                                                      (5, [(47, 50), (58, 57), (68, 65)])]),
    "rock-crack": ("rock018.png", 500, 0, 512, [(8, [(41, 4), (44, 14), (46, 30), (48, 43), (53, 58), (56, 64)])]),
    "broken-plaster": ("wall014.png", 150, 170, 320, [(0, [(16, 28), (35, 22), (70, 22), (90, 38), (68, 52), (42, 44), (16, 38)])]),
    "spalling": ("wall007_2.png", 0, 180, 330, [(0, [(12, 14), (20, 11), (34, 18), (46, 30), (40, 48), (26, 52), (14, 50)])]),
    "burn": ("door041.jpg", 30, 90, 140, [(0, [(10, 64), (26, 52), (48, 52), (52, 97), (41, 97), (40, 69), (12, 69)])]),
    "rust-spots": ("door039.jpg", 60, 230, 130, [(0, [(26, 35), (58, 34), (58, 43), (27, 45)]), (0, [(44, 50), (64, 50), (62, 66), (46, 66)])]),
    "peeled-paint": ("rust.jpg", 300, 220, 200, [(0, [(20, 20), (60, 12), (84, 40), (70, 70), (34, 66), (16, 44)])]),
    "torn-paper": ("door061.png", 40, 160, 190, [(0, [(6, 4), (40, 6), (36, 50), (86, 76), (80, 98), (16, 94), (8, 60)])]),
    "drops": ("RainDrops.jpg", 480, 540, 480, [(18, 21, 12, 12), (78, 25, 10, 9), (73, 59, 5, 5), (79, 45, 5, 4)]),
    "drop": ("RainDrops.jpg", 720, 920, 320, [(51, 65, 13, 11)]),
    "splash": ("RainDrops.jpg", 640, 330, 330, [(0, [(8, 46), (52, 22), (88, 30), (90, 56), (60, 62)])]),
    "blue-flakes": ("wall085.png", 190, 50, 130, [(0, [(20, 14), (60, 18), (72, 46), (56, 66), (24, 56)])]),
    "knot": ("wood002.jpg", 110, 85, 85, [(46, 52, 22, 18)]),
}

# Targets: file, left, top, side.
TARGETS = {
    "render": ("wall013.jpg", 0, 0, 0), "ochre-wall": ("wall021.jpg", 0, 0, 0), "pale-wood": ("Wood.jpg", 600, 500, 700),
    "rough-plaster": ("concrete003.jpg", 0, 0, 0), "red-leather": ("floor013.jpg", 0, 0, 0), "marble": ("marmor.jpg", 0, 0, 0),
    "rusty-sheet": ("metal_rust.jpg", 0, 0, 0), "boards": ("wood022.jpg", 0, 0, 0), "green-boards": ("wood024.jpg", 0, 0, 0),
    "asphalt": ("street010.jpg", 0, 0, 0), "orange-door": ("door048.jpg", 40, 110, 140), "pale-plaster": ("wall029.jpg", 20, 60, 120),
    "sandstone": ("wall068.jpg", 0, 0, 0), "dark-stone": ("stone001.png", 0, 0, 0), "leaf": ("RainDrops.jpg", 130, 640, 480),
}

CASES = [
    ("end-grain", "render"), ("end-grain", "rough-plaster"), ("end-grain", "red-leather"), ("rock-crack", "ochre-wall"),
    ("rock-crack", "red-leather"), ("rock-crack", "dark-stone"), ("rock-crack", "pale-plaster"), ("broken-plaster", "ochre-wall"),
    ("broken-plaster", "green-boards"), ("spalling", "render"), ("spalling", "sandstone"), ("burn", "pale-wood"), ("burn", "marble"),
    ("rust-spots", "green-boards"), ("rust-spots", "pale-plaster"), ("peeled-paint", "orange-door"), ("torn-paper", "boards"),
    ("blue-flakes", "render"), ("drops", "marble"), ("drops", "red-leather"), ("drop", "rusty-sheet"), ("drop", "pale-wood"),
    ("splash", "render"), ("knot", "green-boards"),
]


def crop(folder, name, left, top, side):
    found = [f for f in sorted(glob.glob(f"{folder}/**/{name}", recursive=True)) if "tex_base" not in f]
    if not found:
        sys.exit(f"{folder} has no file {name}")
    best = max((cv2.imread(f) for f in found), key=lambda im: im.shape[0])
    side = side or min(best.shape[:2])
    part = best[top:top + side, left:left + side]
    return cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC)


def selection(shapes):
    mask = np.zeros((SIDE, SIDE), np.uint8)
    scaled = lambda points: (np.array(points) * SIDE / 100).round().astype(np.int32)
    for shape in shapes:
        if len(shape) == 4:
            x, y, a, b = (round(v * SIDE / 100) for v in shape)
            cv2.ellipse(mask, (x, y), (a, b), 0, 0, 360, 255, -1, cv2.LINE_AA)
        elif shape[0]:
            cv2.polylines(mask, [scaled(shape[1])], False, 255, round(shape[0] * SIDE / 100), cv2.LINE_AA)
        else:
            cv2.fillPoly(mask, [scaled(shape[1])], 255, cv2.LINE_AA)
    return mask


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, out = sys.argv[1:]
    for number, (source, target) in enumerate(CASES, 1):
        case = f"{out}/{number:02d}-{source}-on-{target}"
        os.makedirs(case, exist_ok=True)
        *where, shapes = SOURCES[source]
        cv2.imwrite(f"{case}/source.png", crop(folder, *where))
        cv2.imwrite(f"{case}/target.png", crop(folder, *TARGETS[target]))
        cv2.imwrite(f"{case}/mask.png", selection(shapes))


if __name__ == "__main__":
    main()
