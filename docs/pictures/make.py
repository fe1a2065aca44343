#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""make.py PROGRAM: makes the README's pictures anew, from tests/demo, with the command line program given (Debian's python3-opencv).

Each is a row of labelled panels: reference with its selection outlined, target, plain paste, OpenCV's mixed seamless clone, Instant.
"""
import os
import subprocess
import sys
import tempfile

import cv2
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
DEMO = os.path.join(HERE, "..", "..", "tests", "demo")
# name: target, reference, selection, shift of the reference over the target, the part of the target that is shown (x, y, side)
ROWS = {"droplets-plaster": ("plaster.png", "leaf.jpg", "leaf-mask.png", (-64, 40), (180, 80, 332)),
        "crack-plaster": ("rough-plaster.jpg", "end-grain.jpg", "end-grain-mask.png", (0, 0), (74, 30, 360))}
SIDE, GAP = 512, 6
LABELS = ("reference", "target", "paste", "seamless clone", "Instant")


def load(name, flag=cv2.IMREAD_COLOR):
    return cv2.imread(os.path.join(DEMO, name), flag)


def over(target, image, shift):
    """`image` moved by `shift`, on a canvas of the target's size; black beyond it."""
    return cv2.warpAffine(image, np.float32([[1, 0, shift[0]], [0, 1, shift[1]]]), (target.shape[1], target.shape[0]))


def transfer(program, target, reference, selection, shift, preset):
    with tempfile.TemporaryDirectory() as folder:
        result = os.path.join(folder, "result.png")
        subprocess.run([program, "--target", os.path.join(DEMO, target), "--source", os.path.join(DEMO, reference), "--mask",
                        os.path.join(DEMO, selection), "--shift-x", str(shift[0]), "--shift-y", str(shift[1]), "--preset", preset,
                        "--output", result, "--quiet"], check=True)
        return cv2.imread(result)


def row(program, target_name, reference_name, selection_name, shift, part):
    target = load(target_name)
    source, mask = over(target, load(reference_name), shift), over(target, load(selection_name, cv2.IMREAD_GRAYSCALE), shift)
    reference = source.copy()
    cv2.drawContours(reference, cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], -1, (255, 255, 255), 2)
    paste = np.where(mask[..., None] > 127, source, target)
    inner = mask.copy()
    inner[:2] = inner[-2:] = 0
    inner[:, :2] = inner[:, -2:] = 0  # seamlessClone wants a border
    x, y, w, h = cv2.boundingRect(inner)
    clone = cv2.seamlessClone(source, target, inner, (x + w // 2, y + h // 2), cv2.MIXED_CLONE)
    panels = [reference, target, paste, clone, transfer(program, target_name, reference_name, selection_name, shift, "instant")]
    x, y, side = part
    shown = [cv2.resize(p[y:y + side, x:x + side], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for p in panels]
    for panel, label in zip(shown, LABELS):
        for colour, width in (((0, 0, 0), 5), ((255, 255, 255), 2)):
            cv2.putText(panel, label, (14, SIDE - 18), cv2.FONT_HERSHEY_SIMPLEX, 0.9, colour, width, cv2.LINE_AA)
    gap = np.full((SIDE, GAP, 3), 255, np.uint8)
    return np.hstack([p for panel in shown for p in (panel, gap)][:-1])


for name, request in ROWS.items():
    cv2.imwrite(os.path.join(HERE, name + ".jpg"), row(os.path.abspath(sys.argv[1]), *request), [cv2.IMWRITE_JPEG_QUALITY, 90])
