#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""photographs.py PROGRAM PACKAGES [PRESET]: makes docs/pictures/photographs.jpg, grain.jpg and show-through.jpg anew (Debian's python3-opencv).

PACKAGES is a folder with Debian's mate-backgrounds and ufoai-textures unpacked:
    apt-get download mate-backgrounds ufoai-textures && for p in *.deb; do dpkg -x $p PACKAGES; done
    unzip PACKAGES/usr/share/games/ufoai/base/0textures.pk3 -d PACKAGES

A row a transfer: reference with its selection outlined, target, colour-adjusted paste, OpenCV's seamless clones (normal, mixed),
Geometry Transfer (PRESET, or instant). grain.jpg: the third of them, its reference, the mixed clone, and Geometry Transfer with less and less
grain removed. show-through.jpg: the first two, let through more and more.
"""
import glob, os, subprocess, sys, tempfile
import cv2, numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
DEMO = os.path.join(HERE, "..", "..", "tests", "demo")
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "bench"))
from score import baseline  # noqa: E402

SIDE, GAP = 224, 4
# source, its side when scaled (0: as it is), selection as ellipses (x, y, rx, ry) or a file; target and its side; where the middle
# of the shown part lies in the source, in the target; its side; and further options
ROWS = (("leaf.jpg", 0, "leaf-mask.png", "plaster.png", 0, (410, 210), (346, 250), 332, "--show-through", "0.5"),
        ("leaf.jpg", 0, "leaf-mask.png", "wood.jpg", 0, (410, 210), (470, 310), 340, "--show-through", "0.5"),
        ("trak4_concrete4a.png", 0, [(250, 437, 48, 44)], "wood.jpg", 0, (250, 400), (320, 320), 200),
        ("trak4_concrete4a.png", 0, [(256, 255, 120, 11)], "Blinds.jpg", 900, (256, 255), (450, 280), 320),
        ("plaster.png", 0, [(192, 447, 44, 26)], "wood.jpg", 0, (192, 420), (250, 380), 180, "--own-material", "1"),
        ("Aqua.jpg", 640, [(444, 262, 112, 108)], "plaster.png", 0, (444, 240), (256, 200), 300))


def load(packages, name, side):
    path = os.path.join(DEMO, name)
    if not os.path.exists(path):
        path = next(iter(glob.glob(os.path.join(packages, "**", name), recursive=True)), None) or sys.exit(f"no {name} below {packages}")
    picture = cv2.imread(path)
    scale = side / picture.shape[1] if side else 1
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if side else picture


def row(program, packages, preset, source_name, source_side, selection, target_name, target_side, centre, goal, side, *options):
    source, target = load(packages, source_name, source_side), load(packages, target_name, target_side)
    if isinstance(selection, str):
        mask = cv2.imread(os.path.join(DEMO, selection), cv2.IMREAD_GRAYSCALE)
    else:
        mask = np.zeros(source.shape[:2], np.uint8)
        for x, y, rx, ry in selection:
            cv2.ellipse(mask, (x, y), (rx, ry), 0, 0, 360, 255, cv2.FILLED)
    dx, dy = goal[0] - centre[0], goal[1] - centre[1]
    over = lambda p: cv2.warpAffine(p, np.float32([[1, 0, dx], [0, 1, dy]]), (target.shape[1], target.shape[0]))
    moved, there = over(source), over(mask)
    with tempfile.TemporaryDirectory() as folder:
        files = {n: os.path.join(folder, n + ".png") for n in ("source", "target", "mask", "output")}
        for name, picture in (("source", source), ("target", target), ("mask", mask)):
            cv2.imwrite(files[name], picture)
        subprocess.run([program, "--quiet", "--preset", preset, "--shift-x", str(dx), "--shift-y", str(dy), *options] +
                       [a for n, f in files.items() for a in ("--" + n, f)], check=True)
        made = cv2.imread(files["output"])
    reference = moved.copy()
    cv2.drawContours(reference, cv2.findContours(there, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], -1, (255, 255, 255), 1 if side < 250 else 2)
    panels = [reference, target] + [baseline(n, moved, target, there) for n in ("colour", "clone", "mixed")] + [made]
    x, y = (int(np.clip(g - side / 2, 0, s - side)) for g, s in zip(goal, (target.shape[1], target.shape[0])))
    gap = np.full((SIDE, GAP, 3), 255, np.uint8)
    shown = [cv2.resize(p[y:y + side, x:x + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA) for p in panels]
    return np.hstack([p for panel in shown for p in (panel, gap)][:-1])


def main():
    program, packages = os.path.abspath(sys.argv[1]), sys.argv[2]
    preset = sys.argv[3] if len(sys.argv) > 3 else "instant"
    rows = [row(program, packages, preset, *r) for r in ROWS]
    panel = lambda r, i: r[:, i * (SIDE + GAP):i * (SIDE + GAP) + SIDE]
    beside = lambda panels: np.hstack([p for panel in panels for p in (panel, np.full((SIDE, GAP, 3), 255, np.uint8))])[:, :-GAP]
    made = lambda r, *options: panel(row(program, packages, preset, *r, *options), 5)
    grain = beside([panel(rows[2], i) for i in (0, 4, 5)] + [made(ROWS[2], "--grain", g) for g in ("0.5", "0.25", "0")])
    through = [beside([made(r[:8], "--show-through", share) for share in ("0", "0.25", "0.5", "0.75", "1")]) for r in ROWS[:2]]
    cv2.imwrite(os.path.join(HERE, "grain.jpg"), grain, [cv2.IMWRITE_JPEG_QUALITY, 88])
    between = np.full((GAP, through[0].shape[1], 3), 255, np.uint8)
    cv2.imwrite(os.path.join(HERE, "show-through.jpg"), np.vstack([through[0], between, through[1]]), [cv2.IMWRITE_JPEG_QUALITY, 88])
    gap = np.full((GAP, rows[0].shape[1], 3), 255, np.uint8)
    cv2.imwrite(os.path.join(HERE, "photographs.jpg"), np.vstack([p for r in rows for p in (r, gap)][:-1]), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
