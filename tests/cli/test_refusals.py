# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input gives one clear line, the right exit code, and no file."""
import os

import numpy as np

import tap
from command import Case, run


class Usage(Case):
    def test_missing_and_unknown_options_are_usage(self):
        self.refused(run(), "--target", code=2)
        self.refused(run(*self.files(mask=None)), "--mask", code=2)
        self.refused(run(*self.files(), "--no-such", "1"), "--no-such", code=2)
        self.refused(run(*self.files(), "--steps"), "--steps", code=2)

    def test_values_are_checked_by_the_table(self):
        self.refused(self.instant("--correction", "2"), "correction", "0 .. 1")
        self.refused(self.instant("--correction", "0,5"), "correction", "0,5")
        self.refused(self.instant("--steps", "2.5"), "steps")
        self.refused(self.instant("--colour", "red"), "shading, surround, mean")
        self.refused(run(*self.files(), "--preset", "fast"), "instant")
        self.refused(self.instant("--at", "here"), "here")

    def test_references_come_in_pairs(self):
        self.refused(self.instant("--reference", self.path("source.png")), "--reference-mask")
        self.refused(self.instant("--reference", self.path("source.png"), "--reference-mask", self.path("mask.png"), "--weight", "0"),
                     "--weight")
        for placement, words in (("0,0,0.001", ("scale", "0.001", "0.02 .. 50")), ("0,0,1e9", ("scale", "..")), ("1e12,0", ("shift-x", "..")),
                                 ("0,-1e12", ("shift-y", "..")), ("0,0,1,1e9", ("rotation", "..")), ("0,0,0", ("scale", "..")),
                                 ("0,x", ("--reference-placement", "x")), ("0", ("DX,DY",)), ("0,0,1,0,0", ("DX,DY",))):
            with self.subTest(placement):
                self.refused(self.instant("--reference", self.path("source.png"), "--reference-mask", self.path("mask.png"),
                                          "--reference-placement", placement), *words)


class Pictures(Case):
    def test_a_missing_file_is_named(self):
        for which in ("target", "source", "mask"):
            self.refused(self.instant(**{which: "nowhere.png"}), "nowhere.png")

    def test_what_is_no_picture_or_cut_off_is_named(self):
        whole = open(self.path("target.png"), "rb").read()
        self.write("target.jpg", self.target)
        self.write("target.tiff", self.target)
        jpeg, tiff = open(self.path("target.jpg"), "rb").read(), open(self.path("target.tiff"), "rb").read()
        middle = bytearray(whole)
        middle[len(whole) // 2] ^= 0xFF
        for name, data in {"empty.png": b"", "text.png": b"not a picture\n", "cut.png": whole[:-200], "cut.jpg": jpeg[:len(jpeg) // 2],
                           "cut.tiff": tiff[:len(tiff) // 3], "damaged.png": bytes(middle)}.items():
            with self.subTest(name):
                with open(self.path(name), "wb") as f: f.write(data)
                self.refused(self.instant(target=name), name)
        self.refused(self.instant(target="."), "folder")

    def test_logluv_is_refused(self):
        self.write("float.tiff", self.target.astype(np.float32))  # OpenCV packs floats this way
        self.refused(self.instant(target="float.tiff"), "float.tiff", "LogLuv")

    def test_a_mask_of_another_size(self):
        self.write("small.png", self.mask[:100, :90])
        self.refused(self.instant(mask="small.png"), "90 x 100", "128 x 128")

    def test_an_empty_mask(self):
        self.write("empty.png", self.mask * 0)
        self.refused(self.instant(mask="empty.png"), "empty")

    def test_a_source_too_small(self):
        self.write("tiny.png", self.target[:2, :2])
        self.write("tiny-mask.png", np.full((2, 2), 255, np.uint8))
        self.refused(self.instant(source="tiny.png", mask="tiny-mask.png"), "2 x 2")

    def test_geometry_beside_the_target(self):
        self.refused(self.instant("--shift-x", "5000"))


class Outputs(Case):
    def test_unwritable_outputs(self):
        self.refused(self.instant(output="no-folder/result.png"), "no-folder")
        self.refused(self.instant(output="result.xcf"), ".png")
        os.mkdir(self.path("taken.png"))
        self.refused(self.instant(output="taken.png"), "taken.png")
        self.refused(run(*self.files(output=None), "--output", "/proc/result.png", "--preset", "instant"), "/proc/result.png")

    def test_a_failed_run_keeps_the_old_result(self):
        with open(self.path("old.png"), "w") as f: f.write("old")
        self.refused(self.instant(mask="nowhere.png", output="old.png"))
        self.assertEqual(open(self.path("old.png")).read(), "old")

    def test_all_files_are_written_or_none(self):
        """Errors that can be known before the work are reported before it. That the geometry lies beside the target
        is found by the work."""
        beside = ("--shift-x", "5000", "--layer", self.path("l.png"))
        self.write("line.png", np.full((8, 65501, 3), 90, np.uint8))
        self.refused(self.instant("--shift-x", "70000", "--layer", self.path("l.png"), target="line.png", output="result.jpg"), "65501 x 8")
        self.refused(self.instant(*beside, output="r" * 246 + ".png"), "rrr.png", "cannot be written")
        self.refused(self.instant(*beside, "--report", self.path("no/report.json")), "no folder")
        self.refused(self.instant(*beside, "--report", self.folder), "cannot be written")
        # libpng has a limit of its own, so a PNG cannot test ours.
        self.write("line.tiff", np.full((1, 1000001, 3), 90, np.uint8))
        self.refused(self.instant("--at", "400,0", "--layer", self.path("l.tiff"), target="line.tiff"), "result.png", "1000001 x 1")
        self.assertFalse(os.path.exists(self.path("l.png")) or os.path.exists(self.path("l.tiff")))
        self.ok(self.instant("--at", "400,0", "--layer", self.path("l.tiff"), target="line.tiff", output="line-2.tiff"))

    def test_what_jpeg_cannot_hold(self):
        self.write("wide.png", self.target.astype(np.uint16) * 257)
        self.refused(self.instant(target="wide.png", output="result.jpg"), "JPEG", "16")
        self.refused(self.instant("--layer", self.path("layer.jpg")), "JPEG")


if __name__ == "__main__":
    tap.main()
