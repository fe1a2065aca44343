# SPDX-License-Identifier: GPL-3.0-or-later
"""In real GIMP, a reference without any relief leaves every pixel of the target as it is, wherever the layers lie.

The target is a gradient, so a pixel that is read from another place has another colour."""
import unittest

import numpy as np

import gimp
import icc
import tap

LIMIT = 1.6  # of 255: an 8-bit layer rounds once when it is stored, and the gradient has steps of one
INSTANT = '(list "preset" "instant")'

BACKDROP = """(let ((under (open-layer image (file "backdrop.png")))) (gimp-image-insert-layer image under 0 2))"""

# Name: Scheme that prepares `image`, and the arguments of the transfer. The image has the layers `target` (ramp.png,
# 240 x 200) and `flat` (300 x 240, one colour, hidden) and a round selection.
CASES = {
    "plain": "",
    "target right": "(gimp-layer-set-offsets target 60 0)",
    "target down and left": "(gimp-layer-set-offsets target -25 45)",
    "reference moved": "(gimp-layer-set-offsets flat -20 -17)",
    "both moved": "(gimp-layer-set-offsets target 48 31) (gimp-layer-set-offsets flat 20 15)",
    "target in a group": """(let ((folder (group image "folder"))) (gimp-image-insert-layer image folder 0 0)
        (gimp-layer-set-offsets target 40 30) (gimp-image-reorder-item image target folder 0))""",
    "target is a group": """(let ((folder (group image "folder"))) (gimp-image-insert-layer image folder 0 0)
        (gimp-layer-set-offsets target 40 30) (gimp-image-reorder-item image target folder 0) (set! target folder))""",
    "reference in a group": """(let ((folder (group image "folder"))) (gimp-image-insert-layer image folder 0 1)
        (gimp-layer-set-offsets target 40 30) (gimp-image-reorder-item image flat folder 0))""",
    "target with alpha": "(gimp-layer-add-alpha target) (gimp-layer-set-offsets target 40 30)",
    "placed": '(gimp-layer-set-offsets target 50 -20) (set! settings (list "preset" "instant" "shift-x" 33 "rotation" 40 "scale" 1.3))',
    "further geometry": """(gimp-layer-set-offsets target 50 20)
        (let ((more (open-layer image (file "flat.png")))) (gimp-image-insert-layer image more 0 2)
          (gimp-layer-set-offsets more 90 70) (gimp-layer-add-mask more (car (gimp-layer-create-mask more ADD-MASK-WHITE)))
          (gimp-item-set-visible more no)
          (set! settings (list "preset" "instant" "references" (string-append (number->string more) " geometry 1"))))""",
    "reference in another image": """(gimp-layer-set-offsets target 50 20) (gimp-image-remove-layer image flat) (gimp-selection-none image)
        (let ((other (open-image (file "flat.png")))) (gimp-layer-set-offsets (car (layers other)) 10 20)
          (gimp-image-select-ellipse other CHANNEL-OP-REPLACE 60 60 90 70) (set! flat (car (layers other))))""",
    # The backdrop shows through the target. The result must look the same as the target.
    "masked": BACKDROP + """(gimp-layer-set-offsets target 30 20) (gimp-image-select-ellipse image CHANNEL-OP-REPLACE 90 50 90 90)
        (gimp-selection-feather image 40) (gimp-layer-add-mask target (car (gimp-layer-create-mask target ADD-MASK-SELECTION)))
        (gimp-image-select-ellipse image CHANNEL-OP-REPLACE 80 60 90 70)""",
    "half opaque": BACKDROP + "(gimp-layer-set-offsets target 30 20) (gimp-layer-set-opacity target 45)",
    "multiplied": BACKDROP + "(gimp-layer-set-offsets target 30 20) (gimp-layer-set-mode target LAYER-MODE-MULTIPLY)",
    "masked in a group": BACKDROP + """(let ((folder (group image "folder"))) (gimp-image-insert-layer image folder 0 0)
        (gimp-image-reorder-item image target folder 0) (gimp-layer-set-opacity target 60) (gimp-layer-set-offsets target 30 20))""",
    "linear float": "(gimp-layer-set-offsets target 60 10) (gimp-image-convert-precision image float-linear)",
    "grey": "(gimp-image-convert-grayscale image) (gimp-layer-set-offsets target 60 10)",
    # The working rectangle has fewer pixels than the area that it covers.
    "zoomed out": """(gimp-image-scale image 1440 1200) (gimp-layer-set-offsets target 360 60) (gimp-layer-set-offsets flat 0 0)
        (gimp-image-select-ellipse image CHANNEL-OP-REPLACE 420 200 900 800)""",
    # The target is smaller than the working rectangle.
    "zoomed in": """(gimp-layer-scale target 60 50 no) (gimp-layer-set-offsets target 70 60)
        (gimp-image-select-ellipse image CHANNEL-OP-REPLACE 80 70 30 26)""",
    "at the target's edge": """(gimp-layer-set-offsets target 70 60) (gimp-layer-set-offsets flat 0 0)
        (gimp-image-select-ellipse image CHANNEL-OP-REPLACE 30 30 90 90)""",
}


def ramp(width, height):
    """Red grows to the right, green downwards, blue falls to the right. No two places within 100 pixels are alike."""
    ys, xs = np.indices((height, width))
    return np.stack([230 - xs * 180 // width, 30 + ys * 200 // height, 20 + xs * 210 // width], axis=2).astype(np.uint8)


def job(name, prepare):
    return f"""(run-case "{name}" (lambda ()
      (let* ((image (open-image (file "ramp.png"))) (target (car (layers image))) (flat (open-layer image (file "flat.png")))
             (settings {INSTANT}))
        (gimp-item-set-name target "ramp")
        (gimp-image-insert-layer image flat 0 1)
        (gimp-item-set-name flat "flat")
        (gimp-item-set-visible flat no)
        (gimp-image-select-ellipse image CHANNEL-OP-REPLACE 80 60 90 70)
        {prepare}
        (export (car (gimp-image-duplicate image)) "{name} before.png")
        (let ((layer (geometry-transfer image target flat settings)))
          (say "area" (offsets layer) (width layer) (height layer))
          (export (car (gimp-image-duplicate image)) "{name} after.png")))))\n"""


class Untouched(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gimp = gimp.Gimp()
        cls.addClassCleanup(cls.gimp.close)
        gimp.write(cls.gimp.path("ramp.png"), ramp(240, 200))
        gimp.write(cls.gimp.path("flat.png"), np.full((240, 300, 3), (100, 120, 150), np.uint8))
        gimp.write(cls.gimp.path("backdrop.png"), ramp(240, 200)[::-1, :, ::-1])
        with open(cls.gimp.path("srgb.icc"), "wb") as f: f.write(icc.srgb())
        cls.cases, cls.printed = cls.gimp.job("".join(job(*case) for case in CASES.items()))

    def check(self, name):
        self.assertEqual(self.cases.get(name, {}).get("finished"), "yes", self.printed)
        width, height = map(int, self.cases[name]["area"].split()[2:])
        self.assertGreater(width * height, 400, "a layer was made")
        before, after = (gimp.read(self.gimp.path(f"{name} {when}.png")).astype(np.int64) for when in ("before", "after"))
        self.assertGreater(before.std(axis=(0, 1)).min() / 257, 15, "a gradient")
        difference = np.abs(after - before) / 257
        print(f"# {name}: largest difference {difference.max():.2f}, mean {difference.mean():.4f} of 255", flush=True)
        self.assertLessEqual(difference.max(), LIMIT)


for case in CASES: setattr(Untouched, "test_" + case.replace(" ", "_").replace("'", ""), lambda self, name=case: self.check(name))

if __name__ == "__main__":
    tap.main()
