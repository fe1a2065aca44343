#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""photograph_sheet.py CASES RESULTS OUT [--rows N]: draws the cases of make_photographs.py beside OpenCV's two clones.

RESULTS holds CASE.png, as `geometry-transfer --batch` writes them. Writes OUT-1.jpg, OUT-2.jpg, ... with N cases each, one a row:
reference with its selection, target, Instant, normal clone, mixed clone; cut to the selection and what lies round it.
"""
import argparse
import os
import sys

import cv2
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from score import baseline  # noqa: E402

SIDE, AROUND, HEADS = 200, 50, ("reference", "target", "Instant", "clone, normal", "clone, mixed")


def panel_cut(mask):
    """-> top, left, side of the square that is shown, pixels."""
    x, y, w, h = cv2.boundingRect(mask)
    side = min(max(w, h) + 2 * AROUND, *mask.shape)
    place = lambda middle, most: max(0, min(middle - side // 2, most - side))
    return place(y + h // 2, mask.shape[0]), place(x + w // 2, mask.shape[1]), side


def text(image, words, at, size=0.4):
    for colour, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(image, words, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, width, cv2.LINE_AA)


def row(folder, result):
    source, target = (cv2.imread(f"{folder}/{name}.png") for name in ("source", "target"))
    mask = cv2.imread(f"{folder}/mask.png", cv2.IMREAD_GRAYSCALE)
    outlined = source.copy()
    border = cv2.findContours((mask > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    for colour, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.drawContours(outlined, border, -1, colour, width)
    top, left, side = panel_cut(mask)
    panels = [outlined, target, cv2.imread(result)] + [baseline(name, source, target, mask) for name in ("clone", "mixed")]
    shown = [cv2.resize(p[top:top + side, left:left + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA) for p in panels]
    text(shown[0], os.path.basename(folder)[:2], (6, 18), 0.5)
    return np.hstack([np.pad(p, ((0, 2), (0, 2), (0, 0)), constant_values=255) for p in shown])


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    for name in ("cases", "results", "out"):
        parser.add_argument(name)
    parser.add_argument("--rows", type=int, default=8)
    options = parser.parse_args()
    names = sorted(n for n in os.listdir(options.cases) if os.path.isdir(f"{options.cases}/{n}"))
    rows = [row(f"{options.cases}/{n}", f"{options.results}/{n}.png") for n in names]
    for first in range(0, len(rows), options.rows):
        sheet = np.vstack(rows[first:first + options.rows])
        head = np.full((20, sheet.shape[1], 3), 255, np.uint8)
        for i, words in enumerate(HEADS):
            cv2.putText(head, words, (i * (SIDE + 2) + 4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
        cv2.imwrite(f"{options.out}-{first // options.rows + 1}.jpg", np.vstack([head, sheet]), [cv2.IMWRITE_JPEG_QUALITY, 86])


if __name__ == "__main__":
    main()
