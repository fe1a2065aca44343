# SPDX-License-Identifier: GPL-3.0-or-later
"""The batch scripts as their own first lines say, called from a shell: what they leave, and the exit code."""
import os
import shutil
import unittest

import cv2
import numpy as np

import gimp
import tap

# Argument lines of the documented calls; FOLDER holds CASES and OUTPUT.
SCHEME = {
    "interpreter": "plug-in-script-fu-eval",
    "call": '(begin (load "{scripts}/geometry-transfer-batch.scm") (geometry-transfer-batch "{cases}" "{output}" (list "preset" "instant"{more})))',
    "more": ' "{name}" {value}',
    "failed": 0 if gimp.TWO else 70,  # GIMP 2.10 always exits with 0: the report tells
}
PYTHON = {
    "interpreter": "python-fu-eval",
    "call": 'exec(open("{scripts}/geometry-transfer-batch.py").read()); batch("{cases}", "{output}", preset="instant"{more})',
    "more": ", {name}={value}",
    "failed": 64,
}


class Script(unittest.TestCase):
    kind = SCHEME

    def setUp(self):
        self.gimp = gimp.Gimp()
        self.addCleanup(self.gimp.close)
        for name in ("cases", "cases/first", "cases/second", "output"): os.mkdir(self.gimp.path(name))
        self.target, self.source, self.mask = gimp.make_scene(self.gimp.path("cases/first"))
        for name in ("target", "source", "mask"): shutil.copy(self.gimp.path(f"cases/first/{name}.png"), self.gimp.path("cases/second"))

    def call(self, name=None, value=None):
        more = self.kind["more"].format(name=name, value=value) if name else ""
        done = self.gimp.run(self.kind["call"].format(scripts=gimp.SCRIPTS, cases=self.gimp.path("cases"), output=self.gimp.path("output"),
                                                      more=more), interpreter=self.kind["interpreter"])
        self.printed = done.stdout + done.stderr
        self.report = sorted(open(self.gimp.path("output/report.txt")).read().splitlines()) if os.path.exists(
            self.gimp.path("output/report.txt")) else None
        return done.returncode

    def dent(self, case):
        """How much darker the picture is than the target where the mask is, and the most that it differs elsewhere; of 255."""
        result = gimp.read(self.gimp.path(f"output/{case}.png"))[..., :3].astype(int)
        difference = self.target.astype(int) - result
        ys, xs = np.indices(difference.shape[:2])
        far = np.hypot(xs - 70, ys - 60) > 26 + 9
        return difference[:140, :150][self.mask > 0].mean(), np.abs(difference[far]).max()

    def test_a_folder_of_cases(self):
        self.assertEqual(self.call("feather", 5), 0, self.printed)
        self.assertEqual(self.report, ["first ok", "second ok"], self.printed)
        for case in ("first", "second"):
            inside, outside = self.dent(case)
            self.assertGreater(inside, 10)
            self.assertEqual(outside, 0)
            self.assertGreater(os.path.getsize(self.gimp.path(f"output/{case}.xcf")), 1000)

    def test_a_case_that_fails_is_named_and_the_others_are_done(self):
        gimp.write(self.gimp.path("cases/first/mask.png"), np.zeros_like(self.mask))
        self.assertEqual(self.call(), self.kind["failed"], self.printed)
        self.assertTrue(self.report[0].startswith("first failed"), self.report)
        self.assertEqual(self.report[1:], ["second ok"], self.printed)
        self.assertFalse(os.path.exists(self.gimp.path("output/first.png")))
        self.assertGreater(self.dent("second")[0], 10)

    def test_an_argument_that_is_not_there(self):
        self.assertEqual(self.call("feathers", 5), self.kind["failed"], self.printed)
        self.assertTrue(all(" failed" in line for line in self.report), self.report)
        self.assertEqual(len(self.report), 2)

    def test_a_mask_with_transparency(self):
        """White strokes on a transparent ground, soft ones too, select what they select on black."""
        soft = cv2.GaussianBlur(self.mask, (0, 0), 4)
        gimp.write(self.gimp.path("cases/first/mask.png"), np.dstack([np.full_like(soft, 255)] * 3 + [soft]))
        gimp.write(self.gimp.path("cases/second/mask.png"), soft)
        self.assertEqual(self.call(), 0, self.printed)
        first, second = (gimp.read(self.gimp.path(f"output/{case}.png")) for case in ("first", "second"))
        np.testing.assert_array_equal(first, second)
        self.assertGreater(self.dent("first")[0], 10)


@unittest.skipIf(gimp.TWO, "Python-Fu is GIMP 3's here")
class Python(Script):
    kind = PYTHON

    def test_the_report_says_why(self):
        gimp.write(self.gimp.path("cases/first/mask.png"), np.zeros_like(self.mask))
        self.call()
        self.assertIn("Nothing is selected", self.report[0])


if __name__ == "__main__":
    tap.main()
