#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge transfers of real cracks from a data set in CrackForest's layout (image/NNN.jpg, groundTruth/NNN.mat).

    real_cracks.py across DATA TARGETS OUT    cases: cracks onto the photographs in TARGETS (480 px)
    real_cracks.py within DATA OUT            cases: cracks onto bare material of their own photograph, shifted
    real_cracks.py score OUT RESULTS...       scores folders of results (CASE.png) beside OpenCV's two clones

Columns of `across`, where no truth is known; median, and the lowest tenth in brackets:
  kept     contrast of the crack in the result against its contrast in the source, as log ratios (1 is right)
  leak     grain that came along: RMS of log(result / target) in the selection away from the crack, against the source's own grain
  visible  depth of the crack in the result over the local spread of the target's log luma; the source's own in square brackets
Columns of `within`, where the truth is the crack as it was:
  relief   correlation of the relief in the selection with the source's
  gain     depth of the crack against the source's (1 is right)
  visible  the same as above against the same in the source
Such data sets are for research only: never commit a picture of them. Needs Debian's python3-numpy, python3-opencv, python3-scipy.
"""
import glob
import os
import sys

import cv2
import numpy as np


def disk(radius):
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def log_luma(image):
    return np.log(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32) + 4)


def blurred(x, sigma):
    return cv2.GaussianBlur(x, (0, 0), sigma)


def carried_on(x, where, sigma=10):
    """Smooths x over `where` and continues it outside."""
    weight = where.astype(np.float32)
    return blurred(x * weight, sigma) / np.maximum(blurred(weight, sigma), 1e-4)


def cracks(data):
    """(name, photograph, truth 0 or 1) for each picture that has both files."""
    import scipy.io

    for file in sorted(glob.glob(data + "/image/*.jpg")):
        name = os.path.basename(file)[:-4]
        truth = f"{data}/groundTruth/{name}.mat"
        if os.path.exists(truth):
            image = cv2.imread(file)
            mask = (scipy.io.loadmat(truth)["groundTruth"][0, 0]["Segmentation"] != 1).astype(np.uint8)
            if image.shape[:2] == mask.shape:
                yield name, image, mask


def write(folder, **pictures):
    os.makedirs(folder, exist_ok=True)
    for name, picture in pictures.items():
        cv2.imwrite(f"{folder}/{name}.png", picture)


def make_across(data, targets, out):
    def square(image):
        side = min(image.shape[:2])
        return cv2.resize(image[:side, :side], (480, 480), interpolation=cv2.INTER_AREA)

    materials = [(os.path.splitext(os.path.basename(f))[0], square(cv2.imread(f))) for f in sorted(glob.glob(targets + "/*"))]
    for i, (name, image, mask) in enumerate(list(cracks(data))[2::9]):
        h, w = mask.shape
        if mask.sum() < 300:
            continue
        left = int(np.clip(np.where(mask)[1].mean() - h // 2, 0, w - h))
        source = cv2.resize(image[:, left:left + h], (480, 480), interpolation=cv2.INTER_CUBIC)
        traced = (cv2.resize(mask[:, left:left + h] * 255, (480, 480)) > 90).astype(np.uint8) * 255
        for j in range(2):
            material, target = materials[(2 * i + j) % len(materials)]
            write(f"{out}/{name}-on-{material}", source=source, target=target, mask=cv2.dilate(traced, np.ones((13, 13))))


def make_within(data, out):
    for name, image, truth in cracks(data):
        if not 300 < truth.sum() < 9000:
            continue
        mask, guard, best = cv2.dilate(truth, disk(5)), cv2.dilate(truth, disk(12)), None
        for axis in (0, 1):
            for by in range(30, mask.shape[axis] - 30, 5):
                seam = np.zeros_like(mask)
                near = slice(max(0, by - 20), by + 20)
                seam[(near, slice(None)) if axis == 0 else (slice(None), near)] = 1
                if (np.roll(guard, by, axis) & mask).any() or (seam & mask).any():
                    continue
                target = np.roll(image, by, axis)
                around = (cv2.dilate(mask, disk(8)) > 0) & (mask == 0)
                gray = lambda x: cv2.cvtColor(x, cv2.COLOR_BGR2GRAY)
                cost = abs(gray(target)[mask > 0].mean() - gray(image)[around].mean())
                if best is None or cost < best[0]:
                    best = cost, target
        if best:
            write(f"{out}/{name}", source=image, target=best[1], mask=mask * 255)


def with_clones(source, target, mask, results, name):
    framed = mask.copy()
    framed[:2] = framed[-2:] = 0
    framed[:, :2] = framed[:, -2:] = 0
    x, y, w, h = cv2.boundingRect(framed)
    middle = (x + w // 2, y + h // 2)
    pictures = {f"clone, {how}": cv2.seamlessClone(source, target, framed.copy(), middle, flag)
            for how, flag in (("normal", cv2.NORMAL_CLONE), ("mixed", cv2.MIXED_CLONE))}
    pictures.update({r: cv2.imread(f"{r}/{name}.png") for r in results})
    return {k: v for k, v in pictures.items() if v is not None}


def score_across(source, target, mask, pictures):
    selected = mask > 127
    ring = (cv2.dilate(mask, np.ones((25, 25))) > 127) & ~selected
    log = lambda x: np.log(blurred(x.astype(np.float32) @ np.array([0.114, 0.587, 0.299], np.float32), 0.7) + 4)
    relief = log(source) - np.log(carried_on(np.exp(log(source)), ring, 12))
    line = blurred(relief, 2.5)
    core = selected & (relief < min(np.percentile(relief[selected], 20), -0.1)) & (line < np.percentile(line[selected], 35))
    away = selected & (line > np.percentile(line[selected], 60))
    if core.sum() < 80:
        return {}
    want, grain = relief[core].mean(), relief[ring].std()
    spread = lambda x: (log(x) - carried_on(log(x), np.ones(mask.shape), 10))[selected | ring].std()
    rows = {}
    for name, result in pictures.items():
        change = log(result) - log(target)
        kept, leak = change[core].mean() / want, (change[away] - change[away].mean()).std() / grain
        rows[name] = dict(kept=kept, leak=leak, visible=-change[core].mean() / spread(target), source=-want / grain)
    return rows


def score_within(source, target, mask, pictures):
    selected = mask > 127
    wide = cv2.dilate(mask, disk(15)) > 127
    ring = wide & ~selected
    relief = log_luma(source) - carried_on(log_luma(source), ring)
    want, base = blurred(relief, 1.2), carried_on(log_luma(target), wide)
    core = selected & (want < np.percentile(want[selected], 15))
    if relief[core].mean() > -0.12:
        return {}
    before, rows = blurred(log_luma(target) - base, 1.2), {}
    for name, result in pictures.items():
        after = blurred(log_luma(result) - base, 1.2)
        gain = (after[core].mean() - before[core].mean()) / want[core].mean()
        visible = gain * blurred(relief, 1.2)[ring].std() / max(1e-3, before[ring].std())
        rows[name] = dict(relief=np.corrcoef(after[selected], want[selected])[0, 1], gain=gain, visible=visible)
    return rows


def score(out, results):
    table = {}
    for folder in sorted(glob.glob(out + "/*/")):
        name = os.path.basename(folder[:-1])
        source, target = cv2.imread(folder + "source.png"), cv2.imread(folder + "target.png")
        mask = cv2.imread(folder + "mask.png", 0)
        how = score_across if "-on-" in name else score_within
        for row, figures in how(source, target, mask, with_clones(source, target, mask, results, name)).items():
            table.setdefault(row, []).append(figures)
    for row, cases in table.items():
        columns = {k: np.array([c[k] for c in cases]) for k in cases[0]}
        text = "   ".join(f"{k} {np.median(v):.2f} ({np.percentile(v, 10):.2f})" for k, v in columns.items())
        print(f"{row:24s} {text}   {len(cases)} cases")


if __name__ == "__main__":
    {"across": make_across, "within": make_within, "score": lambda out, *r: score(out, r)}[sys.argv[1]](*sys.argv[2:])
