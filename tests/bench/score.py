#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Score transfers against the truth.

    score.py CASES RESULTS... [--by-kind] [--json FILE] [--baselines] [--beats-clones DB]

CASES holds NAME/{source,target,mask,truth}.png, NAME = NN-KIND (make_cases.py draws such a folder). Each RESULTS is a folder with
NAME.png, the flattened result. Needs Debian's python3-opencv and python3-numpy.

in_psnr   dB to the truth inside the mask grown by 4 px                                          higher is better
relief    correlation of (result - target) with (truth - target) in luma there                   [-1, 1], higher
          (is it the true geometry that was added?)
harmony   dB to the truth there after removing each one's mean: structure and texture without the overall tone
seam      mean |gradient(result) - gradient(truth)| on the ring of 3 px about the mask's border, in 1/255     lower
outside   pixels changed more than 24 px away from the mask                                      must be 0
"""
import argparse, glob, json, os, sys
import cv2, numpy as np

COLUMNS = ("in_psnr", "relief", "harmony", "seam", "outside")
LUMA = np.array([0.114, 0.587, 0.299])  # in OpenCV's order B, G, R


def load(path, flag=cv2.IMREAD_COLOR):
    picture = cv2.imread(path, flag)
    if picture is None:
        raise SystemExit(f"cannot read {path}")
    return picture


def disc(radius):
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def decibel(square):
    return float(10 * np.log10(1 / max(square, 1e-10)))


def score(result, truth, target, mask):
    """All arrays are uint8. Returns a dict of COLUMNS."""
    r, t, b = (x.astype(np.float64) / 255 for x in (result, truth, target))
    inside = (mask > 127).astype(np.uint8)
    near = cv2.dilate(inside, disc(4)) > 0
    ring = (cv2.dilate(inside, disc(3)) > 0) & ~(cv2.erode(inside, disc(3)) > 0)
    far = ~(cv2.dilate(inside, disc(24)) > 0)
    added, wanted = ((x - b)[near] @ LUMA for x in (r, t))
    added, wanted = added - added.mean(), wanted - wanted.mean()
    gradient = lambda x: np.stack([cv2.Sobel(x @ LUMA, cv2.CV_64F, 1, 0) / 8, cv2.Sobel(x @ LUMA, cv2.CV_64F, 0, 1) / 8])
    rr, tt = r[near] - r[near].mean(0), t[near] - t[near].mean(0)
    return dict(in_psnr=decibel(((r - t)[near] ** 2).mean()),
                relief=float((added * wanted).sum() / (np.linalg.norm(added) * np.linalg.norm(wanted) + 1e-12)),
                harmony=decibel(((rr - tt) ** 2).mean()),
                seam=float(255 * np.abs(gradient(r) - gradient(t)).sum(0)[ring].mean()),
                outside=int((np.abs(result.astype(int) - target).max(2) > 0)[far].sum()))


def feathered(over, target, mask, pixels=3):
    alpha = cv2.GaussianBlur(cv2.dilate(mask, np.ones((5, 5), np.uint8)).astype(np.float32) / 255, (0, 0), pixels / 2)[..., None]
    return np.clip(over * alpha + target * (1 - alpha), 0, 255).round().astype(np.uint8)


def baseline(name, source, target, mask):
    """Baselines without this project: nothing, pastes, OpenCV's seamlessClone."""
    if name == "target":
        return target.copy()
    if name == "paste":
        return feathered(source.astype(np.float32), target, mask)
    if name == "colour":
        shift = target[mask > 127].mean(0) - source[mask > 127].mean(0)
        return feathered(np.clip(source.astype(np.float32) + shift, 0, 255), target, mask)
    wide = cv2.dilate(mask, np.ones((5, 5), np.uint8))
    wide[:2] = wide[-2:] = 0
    wide[:, :2] = wide[:, -2:] = 0
    x, y, w, h = cv2.boundingRect(wide)
    return cv2.seamlessClone(source, target, wide, (x + w // 2, y + h // 2), cv2.NORMAL_CLONE if name == "clone" else cv2.MIXED_CLONE)


BASELINES = ("target", "paste", "colour", "clone", "mixed")


def cases(folder):
    for path in sorted(glob.glob(os.path.join(folder, "*", "truth.png"))):
        path = os.path.dirname(path)
        pictures = {f: load(os.path.join(path, f + ".png")) for f in ("source", "target", "truth")}
        yield os.path.basename(path), pictures, load(os.path.join(path, "mask.png"), cv2.IMREAD_GRAYSCALE)


def table(rows, by_kind):
    kinds = ["all"] + (sorted({c.split("-")[-1] for r in rows.values() for c in r}) if by_kind else [])
    print(f"{'':28s}{'':10s}" + "".join(f"{c:>9s}" for c in COLUMNS))
    for name, scores in rows.items():
        for kind in kinds:
            of = [s for c, s in scores.items() if kind in ("all", c.split("-")[-1])]
            if of:
                print(f"{name[-27:]:28s}{kind:10s}" + "".join(f"{np.mean([s[c] for s in of]):9.3f}" for c in COLUMNS))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases")
    parser.add_argument("results", nargs="*")
    parser.add_argument("--by-kind", action="store_true")
    parser.add_argument("--baselines", action="store_true")
    parser.add_argument("--json")
    parser.add_argument("--beats-clones", type=float, metavar="DB",
                        help="fail unless the last results beat both clones by DB in in_psnr and harmony, by any amount in relief and seam")
    options = parser.parse_args()
    options.baselines |= options.beats_clones is not None
    rows = {}
    for case, p, mask in cases(options.cases):
        for name in BASELINES if options.baselines else ():
            rows.setdefault(name, {})[case] = score(baseline(name, p["source"], p["target"], mask), p["truth"], p["target"], mask)
        for folder in options.results:
            rows.setdefault(folder, {})[case] = score(load(os.path.join(folder, case + ".png")), p["truth"], p["target"], mask)
    if not rows:
        sys.exit(f"no case in {options.cases}")
    table(rows, options.by_kind)
    if options.beats_clones is not None:
        mean = lambda name, column: np.mean([s[column] for s in rows[name].values()])
        ours, short = options.results[-1], []
        for clone in ("clone", "mixed"):
            short += [f"{c} over {clone}" for c in ("in_psnr", "harmony") if mean(ours, c) < mean(clone, c) + options.beats_clones]
            short += [f"relief over {clone}"] * int(mean(ours, "relief") <= mean(clone, "relief"))
            short += [f"seam under {clone}"] * int(mean(ours, "seam") >= mean(clone, "seam"))
        if short or mean(ours, "outside"):
            sys.exit("not reached: " + ", ".join(short + ["outside 0"] * bool(mean(ours, "outside"))))
    if options.json:
        json.dump(rows, open(options.json, "w"), indent=1)


if __name__ == "__main__":
    main()
