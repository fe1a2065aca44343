# SPDX-License-Identifier: GPL-3.0-or-later
"""Odd images and selections in real GIMP. Each transfer works or says what to do, and a refusal changes nothing."""
import struct
import unittest
import zlib

import numpy as np

import gimp
import icc
import tap

INSTANT = '(list "preset" "instant")'
TRANSFER = f"(geometry-transfer image (target-of image) (source-of image) {INSTANT})"


def of(target, source): return f"(geometry-transfer image {target} {source} {INSTANT})"


PLAIN = "(scene 0 0)"
EVERYTHING = "(gimp-selection-all image)"
ALPHA = "(gimp-layer-add-alpha (target-of image)) (gimp-layer-add-alpha (source-of image))"
CLEAR = "(gimp-selection-none image) (gimp-drawable-edit-clear ({0}-of image)) (geometry-transfer-select image (file \"mask.png\"))"
GROUP = """(let ((folder (group image "folder")) (source (source-of image)))
  (gimp-image-insert-layer image folder 0 2) (gimp-image-reorder-item image source folder 0) {0})"""
HIDDEN = GROUP.format("(gimp-item-set-visible folder no)")
IN_GROUP = of("(target-of image)", "(car (children (caddr (cons 0 (layers image)))))")
OF_GROUP = of("(target-of image)", "(cadr (layers image))")
CHANNEL = '(let ((channel (car (gimp-channel-new{0})))) (gimp-image-insert-channel image channel 0 0))'
WORKS = ()
EITHER = None  # GEGL keeps NaN in one version and converts it in another

# Name: the image, its preparation, the call, words of the refusal (or WORKS).
CASES = {
    "one pixel": ('(pair "dot.png" "dot.png" 0 0 1 1)', "", TRANSFER, WORKS),
    "one pixel as target": ('(pair "dot.png" "source.png" 0 0 1 1)', "", TRANSFER, WORKS),
    "one pixel as reference": ('(pair "target.png" "dot.png" 0 0 1 1)', "", TRANSFER, WORKS),
    "a reference below 8 x 8": ('(pair "target.png" "seven.png" 1 1 5 3)', "", TRANSFER, WORKS),
    "a reference below 8 x 8, all of it": ('(pair "target.png" "seven.png" 0 0 7 5)', "", TRANSFER, WORKS),
    "a line of pixels": ('(pair "line.png" "line.png" 400 0 200 1)', "", TRANSFER, WORKS),
    "a line as target": ('(pair "line.png" "source.png" 60 0 40 1)', "", TRANSFER, WORKS),
    "indexed": (PLAIN, '(gimp-image-convert-indexed image CONVERT-DITHER-NONE CONVERT-PALETTE-GENERATE 64 no no "")', TRANSFER,
                ["indexed", "RGB"]),
    "gray": (PLAIN, "(gimp-image-convert-grayscale image)", TRANSFER, WORKS),
    "gray with alpha": (PLAIN, "(gimp-image-convert-grayscale image) " + ALPHA, TRANSFER, WORKS),
    "float with what is no number": ('(pair "odd.tiff" "odd.tiff" 40 40 60 50)', "", TRANSFER, WORKS),
    "linear float": ('(pair "odd.tiff" "odd.tiff" 40 40 60 50)', "(gimp-image-convert-precision image float-linear)", TRANSFER, WORKS),
    "nothing but no numbers": ('(pair "nan.tiff" "nan.tiff" 40 40 60 50)', "", TRANSFER, EITHER),
    "half float": (PLAIN, "(gimp-image-convert-precision image PRECISION-HALF-LINEAR)", TRANSFER, WORKS),
    "32-bit integer": (PLAIN, "(gimp-image-convert-precision image PRECISION-U32-LINEAR)", TRANSFER, WORKS),
    "double": (PLAIN, "(gimp-image-convert-precision image PRECISION-DOUBLE-LINEAR)", TRANSFER, WORKS),
    "Display P3": ('(pair "p3.png" "source.png" 44 34 52 52)', "", TRANSFER, WORKS),
    "a broken profile": ('(pair "broken.png" "broken.png" 44 34 52 52)', "", TRANSFER, WORKS),
    "a gray profile in a colour picture": ('(pair "grayed.png" "source.png" 44 34 52 52)', "", TRANSFER, WORKS),
    "a transparent target": (PLAIN, ALPHA + CLEAR.format("target"), TRANSFER, ["transparent", "target"]),
    "a transparent reference": (PLAIN, ALPHA + CLEAR.format("source"), TRANSFER, ["transparent"]),
    "a layer mask": (PLAIN, "(gimp-layer-add-mask (target-of image) (car (gimp-layer-create-mask (target-of image) ADD-MASK-BLACK)))",
                     TRANSFER, WORKS),
    "the layer mask itself": (PLAIN, "(gimp-layer-add-mask (target-of image) (car (gimp-layer-create-mask (target-of image) ADD-MASK-WHITE)))",
                              of("(car (gimp-layer-get-mask (target-of image)))", "(source-of image)"), ["choose a layer"]),
    "a channel": (PLAIN, CHANNEL.format("-from-component image CHANNEL-RED \"red\""),
                  of("(car (channels image))", "(source-of image)"), ["choose a layer"]),
    "the selection": (PLAIN, "", of("(car (gimp-image-get-selection image))", "(source-of image)"), ["choose a layer"]),
    "quick mask, its channel active": (PLAIN, CHANNEL.format("-from-component image CHANNEL-RED \"Qmask\""),
                                       of("(car (channels image))", "(source-of image)"), ["quick mask"]),
    "quick mask, a layer active": (PLAIN, CHANNEL.format("-from-component image CHANNEL-RED \"Qmask\""), TRANSFER, ["quick mask"]),
    "a group as target": (PLAIN, """(let ((folder (group image "folder")) (target (target-of image)))
        (gimp-image-insert-layer image folder 0 0) (gimp-image-reorder-item image target folder 0))""",
                          of("(target-of image)", "(cadr (layers image))"), WORKS),
    "an empty group as target": (PLAIN, '(gimp-image-insert-layer image (group image "folder") 0 0)',
                                 of("(target-of image)", "(cadr (layers image))"), ["outside", "layer"]),
    "an empty group as reference": (PLAIN, '(gimp-image-insert-layer image (group image "folder") 0 2)',
                                    of("(target-of image)", "(caddr (layers image))"), ["outside", "reference"]),
    "a text layer as target": (PLAIN, '(gimp-image-insert-layer image (text-layer image "MMMMM") 0 0)',
                               of("(target-of image)", "(caddr (layers image))"), WORKS),
    "a text layer as reference": (PLAIN, '(gimp-image-insert-layer image (text-layer image "MMMMM") 0 1)',
                                  of("(target-of image)", "(cadr (layers image))"), WORKS),
    "locked pixels, alpha and position": (PLAIN, """(let ((target (target-of image))) (gimp-item-set-lock-content target yes)
        (gimp-item-set-lock-position target yes) (gimp-layer-set-lock-alpha target yes))""", TRANSFER, WORKS),
    "a hidden target": (PLAIN, "(gimp-item-set-visible (target-of image) no)", TRANSFER, WORKS),
    "a hidden reference": (PLAIN, "(gimp-item-set-visible (source-of image) no)", TRANSFER, WORKS),
    "a reference in a hidden group": (PLAIN, HIDDEN, IN_GROUP, WORKS),
    "a hidden group as reference": (PLAIN, HIDDEN, OF_GROUP, WORKS),
    "a floating selection": (PLAIN, "(float-selection (target-of image))", of("(cadr (layers image))", "(caddr (layers image))"),
                             ["floating selection"]),
    "a target partly outside the canvas": (PLAIN, "(gimp-layer-set-offsets (target-of image) 60 50)", TRANSFER, WORKS),
    "a target outside the canvas": (PLAIN, "(gimp-layer-set-offsets (target-of image) -900 2000)", TRANSFER, ["outside", "target"]),
    "a reference outside the canvas": (PLAIN, "(gimp-layer-set-offsets (source-of image) -900 2000)", TRANSFER,
                                       ["outside", "reference"]),
    "a selection beside the reference": (PLAIN, "(gimp-image-select-rectangle image CHANNEL-OP-REPLACE 160 10 30 30)", TRANSFER,
                                         ["outside", "reference"]),
    "a huge selection": (PLAIN, """(gimp-image-scale image 4000 3200)
        (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 100 100 2800 2600)""", TRANSFER, WORKS),
    "everything selected": (PLAIN, EVERYTHING, TRANSFER, WORKS),
    "nothing selected": (PLAIN, "(gimp-selection-none image)", TRANSFER, ["Nothing is selected", "dent"]),
    "one selected pixel": (PLAIN, "(gimp-image-select-rectangle image CHANNEL-OP-REPLACE 70 60 1 1)", TRANSFER, WORKS),
    "the target as reference": (PLAIN, "", of("(target-of image)", "(target-of image)"), ["another layer", "wall"]),
    "no reference": (PLAIN, "", of("(target-of image)", "none"), ["reference layer"]),
}
if not gimp.TWO:
    del CASES["a floating selection"]  # GIMP 3.0 gives Script-Fu no gimp-selection-float
    CASES["several layers"] = (PLAIN, "", "(several image (layers image) (source-of image))", ["one layer"])
# GIMP 3 refuses these itself.
BY_GIMP_3 = ("indexed",)


def with_chunk(png, name, data):
    """Returns the PNG with one more chunk after its header."""
    chunk = struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return png[:33] + chunk + png[33:]


def with_profile(png, profile): return with_chunk(png, b"iCCP", b"profile\0\0" + zlib.compress(profile))


class Odd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gimp = gimp.Gimp()
        gimp.make_scene(cls.gimp.folder)
        gimp.write(cls.gimp.path("dot.png"), np.full((1, 1, 3), 120, np.uint8))
        gimp.write(cls.gimp.path("seven.png"), gimp.grain(5, 7, (90, 140, 190), 30, 4))
        gimp.write(cls.gimp.path("line.png"), gimp.grain(1, 30000, (90, 140, 190), 8, 3))
        odd = gimp.read(cls.gimp.path("target.png")).astype(np.float32) / 255
        odd[60:70, 60:70] = (np.nan, np.inf, -np.inf)
        odd[50:54, 60:90] = 7.5
        odd[74:78, 60:90] = -3
        odd[130:140, 130:140] = np.nan
        for name, pixels in (("odd", odd), ("nan", odd * np.nan)): gimp.write(cls.gimp.path(name + ".tiff"), pixels)
        png = open(cls.gimp.path("target.png"), "rb").read()
        p3 = icc.rgb("P3", (0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407), icc.curve(2.2))
        for name, profile in (("p3", p3), ("grayed", icc.grey(1.8)), ("broken", icc.srgb()[:200] + b"\xff" * 60)):
            with open(cls.gimp.path(name + ".png"), "wb") as f: f.write(with_profile(png, profile))
        job = ""
        for name, (image, prepare, transfer, words) in CASES.items():
            finish = '(say "result" (statistics (active image)))' if words is WORKS or words is EITHER else ""
            if name == "float with what is no number": finish += '(gimp-item-set-visible (caddr (layers image)) no) (save-float image (file "after.tiff"))'
            job += f"""(catch (say "case" "{name}: no image") (odd-case "{name}" {image} (lambda (image) {prepare} '())
              (lambda (image) {transfer}) (lambda (image) {finish} '())))\n"""
        cls.cases, cls.printed = cls.gimp.job(job, fonts=True, timeout=800)

    @classmethod
    def tearDownClass(cls): cls.gimp.close()

    def case(self, name):
        self.assertIn(name, self.cases, self.printed)
        case = self.cases[name]
        self.assertEqual(case.get("finished"), "yes", "\n".join(case.errors) + self.printed)
        return case

    def test_each_works_or_says_what_to_do(self):
        for name, (_, _, _, words) in CASES.items():
            with self.subTest(name):
                case = self.case(name)
                self.assertEqual(case["selected-after"], case["selected"])
                if words is WORKS or (words is EITHER and case["answer"] == "works"):
                    # A masked target and its result go into a group, which takes the target's place.
                    added = "0" if name == "a layer mask" else "1"
                    self.assertEqual((case["answer"], case["added"], case["dirty"]), ("works", added, "yes"), case.errors)
                    self.assertTrue(case["active"].startswith("Geometry from"), case["active"])
                    self.assertNotRegex(case["result"], "(?i)nan|inf")
                    continue
                # Clean means that nothing was pushed on the undo stack.
                self.assertEqual((case["answer"], case["added"], case["dirty"]), ("refused", "0", "no"))
                self.assertEqual(case["after"], case["before"])
                if gimp.TWO or name not in BY_GIMP_3:
                    for word in words or []: self.assertIn(word, " ".join(case.errors))

    def test_pixels_that_are_no_numbers_stay_what_they_are(self):
        self.case("float with what is no number")
        before, after = gimp.read(self.gimp.path("odd.tiff")), gimp.read(self.gimp.path("after.tiff"))
        self.assertEqual(after.dtype, np.float32)
        number = np.isfinite(before).all(axis=2)
        ys, xs = np.indices(number.shape)
        outside = (xs < 36) | (xs >= 104) | (ys < 36) | (ys >= 94)
        self.assertTrue((~np.isfinite(after[outside & ~number])).any(axis=1).all())
        self.assertTrue(np.allclose(after[outside & number], before[outside & number], rtol=0, atol=1e-6))
        self.assertTrue(np.isfinite(after[~outside & number]).all())

    def test_gimp_did_not_complain(self):
        ours = [line for line in self.printed.splitlines() if "geometry-transfer" in line]
        self.assertGreater(len(ours), 10)
        self.assertFalse([line for line in ours if "CRITICAL" in line or "crashed" in line])


if __name__ == "__main__":
    tap.main()
