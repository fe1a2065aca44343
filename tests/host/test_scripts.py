# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls the batch scripts from a shell as their first lines say, and checks their files and exit codes."""
import os
import re
import shutil
import unittest

import cv2
import numpy as np

import gimp
import tap

# The arguments of the documented calls. FOLDER holds CASES and OUTPUT.
SCHEME = {
    "interpreter": "plug-in-script-fu-eval",
    "call": '(begin (load "{scripts}/geometry-transfer-batch.scm") (geometry-transfer-batch "{cases}" "{output}" (list "preset" "instant"{more})))',
    "more": ' "{name}" {value}',
    "failed": 0 if gimp.TWO else 70,  # GIMP 2.10 always exits with 0; the report holds the failures
    "asks before": gimp.TWO,  # GIMP 3.0's Scheme cannot ask for a procedure's arguments, so each case fails with the reason
}
PYTHON = {
    "interpreter": "python-fu-eval",
    "call": 'exec(open("{scripts}/geometry-transfer-batch.py").read()); batch("{cases}", "{output}", preset="instant"{more})',
    "more": ", {name}={value}",
    "failed": 64,
    "asks before": True,
}


class Script:
    """Tests for every `kind` of script."""

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
        self.printed = "\n".join([done.stdout, done.stderr, *(self.lines() or ["no report"])])
        *cases, self.last = self.lines() or [None]
        self.report = sorted(cases)
        return done.returncode

    def lines(self):
        """The lines of the report, or None."""
        if not os.path.exists(self.gimp.path("output/report.txt")): return None
        with open(self.gimp.path("output/report.txt"), encoding="utf-8") as report: return report.read().splitlines()

    def went_well(self):
        """The check that 2.10's first lines recommend to a shell."""
        return any(re.fullmatch("done [0-9]* failed 0", line) for line in self.lines() or [])

    def dent(self, case):
        """How much darker the picture is than the target under the mask, and the largest difference elsewhere; of
        255."""
        result = gimp.read(self.gimp.path(f"output/{case}.png"))[..., :3].astype(int)
        difference = self.target.astype(int) - result
        ys, xs = np.indices(difference.shape[:2])
        far = np.hypot(xs - 70, ys - 60) > 26 + 9
        return difference[:140, :150][self.mask > 0].mean(), np.abs(difference[far]).max()

    def test_a_folder_of_cases(self):
        self.assertEqual(self.call("feather", 5), 0, self.printed)
        self.assertEqual(self.report, ["first ok", "second ok"], self.printed)
        self.assertEqual(self.last, "done 2 failed 0")
        self.assertTrue(self.went_well())
        for case in ("first", "second"):
            inside, outside = self.dent(case)
            self.assertGreater(inside, 10)
            self.assertEqual(outside, 0)
            self.assertGreater(os.path.getsize(self.gimp.path(f"output/{case}.xcf")), 1000)

    def test_a_case_that_fails_is_named_and_the_others_are_done(self):
        gimp.write(self.gimp.path("cases/first/mask.png"), np.zeros_like(self.mask))
        self.assertEqual(self.call(), self.kind["failed"], self.printed)
        self.assertIn("first failed: ", self.report[0])
        self.assertIn("Nothing is selected", self.report[0])
        self.assertEqual(self.last, "done 2 failed 1")
        self.assertFalse(self.went_well())
        self.assertEqual(self.report[1:], ["second ok"], self.printed)
        self.assertFalse(os.path.exists(self.gimp.path("output/first.png")))
        self.assertGreater(self.dent("second")[0], 10)

    def test_a_picture_that_cannot_be_read_and_a_result_that_cannot_be_written(self):
        with open(self.gimp.path("cases/first/mask.png"), "w") as f: f.write("no picture")
        os.mkdir(self.gimp.path("output/second.xcf"))
        self.assertEqual(self.call(), self.kind["failed"], self.printed)
        self.assertRegex(self.report[0], "^first failed: .*mask.png")
        self.assertRegex(self.report[1], "^second failed: .*second.xcf")
        self.assertEqual(self.last, "done 2 failed 2")

    def test_an_argument_that_is_not_there(self):
        self.assertEqual(self.call("feathers", 5), self.kind["failed"], self.printed)
        self.assertFalse(self.went_well())
        if self.kind["asks before"]:
            self.assertEqual(self.lines(), [])
            self.assertRegex(self.printed, "no argument of this name: \"?feathers")
        else:
            self.assertTrue(all("failed: Invalid argument name: feathers" in line for line in self.report), self.report)
            self.assertEqual(self.last, "done 2 failed 2")

    def test_no_case(self):
        for name in ("first", "second"): os.remove(self.gimp.path(f"cases/{name}/mask.png"))
        self.assertEqual(self.call(), self.kind["failed"], self.printed)
        self.assertEqual(self.lines(), ["done 0 failed: no case in " + self.gimp.path("cases")], self.printed)
        self.assertFalse(self.went_well())

    def test_a_folder_that_is_not_there(self):
        shutil.rmtree(self.gimp.path("cases"))
        self.assertEqual(self.call(), self.kind["failed"], self.printed)
        self.assertFalse(self.went_well())
        shutil.rmtree(self.gimp.path("output"))
        self.assertEqual(self.call(), self.kind["failed"], self.printed)
        self.assertFalse(self.went_well())

    def test_a_mask_with_transparency(self):
        """White strokes on a transparent ground select the same as on black, soft ones too."""
        soft = cv2.GaussianBlur(self.mask, (0, 0), 4)
        gimp.write(self.gimp.path("cases/first/mask.png"), np.dstack([np.full_like(soft, 255)] * 3 + [soft]))
        gimp.write(self.gimp.path("cases/second/mask.png"), soft)
        self.assertEqual(self.call(), 0, self.printed)
        first, second = (gimp.read(self.gimp.path(f"output/{case}.png")) for case in ("first", "second"))
        np.testing.assert_array_equal(first, second)
        self.assertGreater(self.dent("first")[0], 10)


class Scheme(Script, unittest.TestCase):
    """Tests for Python only."""
    kind = SCHEME

    def loaded(self, more):
        return f'(begin (load "{gimp.SCRIPTS}/geometry-transfer-batch.scm") {more})'

    def test_no_image_stays_open(self):
        with open(self.gimp.path("cases/first/source.png"), "w") as f: f.write("no picture")
        os.mkdir(self.gimp.path("output/second.xcf"))
        images = "(car (gimp-image-list))" if gimp.TWO else "(vector-length (car (gimp-get-images)))"
        case = '(geometry-transfer-case "{0}/cases/{1}" "{0}/output" "{1}" (list "preset" "instant"))'
        say = f'(gimp-message (string-append (if {case} "failed, " "done, ") (number->string {images}) " open"))'
        done = self.gimp.run(self.loaded("".join(say.format(self.gimp.folder, name) for name in ("first", "second"))))
        printed = done.stdout + done.stderr
        self.assertEqual(printed.count("failed, 0 open"), 2, printed)

    def test_a_line_is_there_when_gimp_is_killed_in_the_next_case(self):
        with open(self.gimp.path("printed"), "w") as output:
            process = self.gimp.start(self.loaded(f"""
                (define real geometry-transfer-case)
                (define calls 0)
                (define (geometry-transfer-case . arguments)
                  (set! calls (+ calls 1))
                  (if (= calls 2) (let wait () (gimp-version) (wait)))
                  (apply real arguments))
                (geometry-transfer-batch "{self.gimp.path("cases")}" "{self.gimp.path("output")}" (list "preset" "instant"))"""),
                output=output)
            try: gimp.until("the first case's line", self.lines, 120)
            finally:
                process.kill()
                process.wait()
        self.assertEqual(len(self.lines()), 1)
        self.assertRegex(self.lines()[0], " ok$")
        self.assertFalse(self.went_well())


@unittest.skipIf(gimp.TWO, "Python-Fu is GIMP 3's here")
class Python(Script, unittest.TestCase):
    kind = PYTHON


if __name__ == "__main__":
    tap.main()
