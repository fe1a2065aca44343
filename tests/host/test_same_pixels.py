# SPDX-License-Identifier: GPL-3.0-or-later
"""The same scene, request and model give the same pixels in GIMP 2.10 and in GIMP 3.

No Debian has both GIMPs. So each is compared with the same pictures, tests/host/same-pixels/*.png: the layer on
the whole canvas in the image's own profile, 16 bit, made by GIMP 2.10. After a change of the edit, on Debian 12:
  GT_UPDATE=1 meson test -C build same-pixels-2.10"""
import os
import unittest

import numpy as np

import gimp
import icc
import tap

EXPECTED = os.path.join(gimp.HERE, "same-pixels")
LIMIT = 2  # of 255

PLACED = '"shift-x" 21 "shift-y" -8 "rotation" 20 "scale" 1.15'
INSTANT = f'(list "preset" "instant" {PLACED})'
# Precision and threads are set, because their defaults depend on the machine.
BALANCED = f'(list "preset" "balanced" "precision" "fp32" "threads" 1 {PLACED})'

# Name: bits of the files, grey, profile, preparation of the image, request.
CASES = {
    "srgb-8": (8, False, None, "", INSTANT),
    "adobe-16": (16, False, "wide", "", INSTANT),
    "grey-8": (8, True, None, "", INSTANT),
    "linear-float": (16, False, None, "(gimp-image-convert-precision image float-linear)", INSTANT),
    "balanced": (8, False, None, "", BALANCED),
}


def grain(random, shape, amount, width):
    """Noise of whole numbers, smoothed by sums: the same on every machine and release."""
    noise = random.randint(-amount, amount + 1, shape).astype(np.int64)
    for axis in (0, 1): noise = sum(np.roll(noise, shift, axis) for shift in range(width))
    return noise // width


def pictures():
    """Target (160 x 200), source and mask (140 x 150): a dark, rusty dent with a bright rim. Whole numbers of 16
    bits, BGR."""
    random = np.random.RandomState(5)
    target = np.array((21000, 33000, 45000)) + grain(random, (160, 200), 5000, 3)[..., None]
    source = np.array((39000, 32000, 27000)) + grain(random, (140, 150), 2500, 2)[..., None]
    ys, xs = np.indices((140, 150))
    square = (xs - 70) ** 2 + (ys - 62) ** 2
    depth = np.clip(22 * 22 - square, 0, None)
    rim = np.clip(60 - np.abs(square - 25 * 25), 0, None)
    source = source - depth[..., None] * np.array((55, 45, 30)) + rim[..., None] * 150
    mask = np.where(square < 29 * 29, 65535, 0)
    return [np.clip(p, 0, 65535).astype(np.uint16) for p in (target, source, mask)]


def files(folder):
    target, source, mask = pictures()
    for name, (bits, grey, _, _, _) in CASES.items():
        os.mkdir(os.path.join(folder, name))
        for part, pixels in (("target", target), ("source", source), ("mask", mask)):
            if grey and pixels.ndim == 3: pixels = pixels[..., 1]
            gimp.write(os.path.join(folder, name, part + ".png"), pixels if bits == 16 else (pixels >> 8).astype(np.uint8))


def job(name):
    _, _, profile, before, request = CASES[name]
    return f"""(run-case "{name}" (lambda ()
      (set! FOLDER (string-append ROOT "/{name}"))
      (let* ((image (scene 12 5)) (target (target-of image)) (source (source-of image)))
        {f'(set-profile image (string-append ROOT "/{profile}.icc"))' if profile else ""}
        {before}
        (let ((layer (geometry-transfer image target source {request})))
          (gimp-image-remove-layer image target)
          (gimp-image-remove-layer image source)
          (gimp-selection-none image)
          (gimp-layer-resize-to-image-size layer)
          (catch #f (gimp-image-convert-precision image u16))
          (save-layer image (file "layer.png"))))))\n"""


class SamePixels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gimp = gimp.Gimp()
        cls.addClassCleanup(cls.gimp.close)
        files(cls.gimp.folder)
        with open(cls.gimp.path("wide.icc"), "wb") as f: f.write(icc.wide())
        cls.cases, cls.printed = cls.gimp.job("(define ROOT FOLDER)\n" + "".join(map(job, CASES)), timeout=600)

    def check(self, name):
        self.assertEqual(self.cases.get(name, {}).get("finished"), "yes", self.printed)
        made = gimp.read(os.path.join(self.gimp.folder, name, "layer.png"))
        self.assertEqual((made.dtype, made.shape[:2]), (np.uint16, (160, 200)))
        path = os.path.join(EXPECTED, name + ".png")
        if os.environ.get("GT_UPDATE"): gimp.write(path, made)
        expected = gimp.read(path)
        self.assertEqual(made.shape, expected.shape)
        made, expected = made.astype(np.int64), expected.astype(np.int64)
        self.assertGreater((expected[..., -1] > 0).sum(), 2000, "a layer was stored")
        seen = (made[..., -1] > 0) & (expected[..., -1] > 0)  # where alpha is 0 there is no colour
        alpha = np.abs(made[..., -1] - expected[..., -1]).max() / 257
        colour = np.abs(made[..., :-1] - expected[..., :-1])[seen].max() / 257
        print(f"# {name}: largest difference of colour {colour:.3f}, of alpha {alpha:.3f} of 255", flush=True)
        self.assertLessEqual(max(alpha, colour), LIMIT, "after a change of the edit itself write the pictures anew, see above")


for case in CASES: setattr(SamePixels, "test_" + case.replace("-", "_"), lambda self, name=case: self.check(name))

if __name__ == "__main__":
    tap.main()
