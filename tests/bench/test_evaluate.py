# SPDX-License-Identifier: GPL-3.0-or-later
"""evaluate.py gives the same numbers for a matrix of requests as score.py for the same pictures."""
import csv
import os
import subprocess
import sys
import tempfile
import unittest

import tap

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.environ["GEOMETRY_TRANSFER"]
sys.path.insert(0, HERE)
import score  # noqa: E402


class Evaluate(unittest.TestCase):
    def evaluate(self, *arguments):
        return subprocess.run([sys.executable, os.path.join(HERE, "evaluate.py"), PROGRAM, os.path.join(HERE, "cases"), *arguments],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def test_a_matrix_and_its_table(self):
        with tempfile.TemporaryDirectory() as out:
            rows = os.path.join(out, "rows")
            with open(rows, "w") as f: f.write("# a comment\nThe edit\tpreset=instant\nGrain & all\tpreset=instant grain=0\n")
            done = self.evaluate(os.path.join(out, "results"), "--rows", rows, "--only", "hole,chips")
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(os.path.join(out, "results", "table.tsv")) as f: table = list(csv.DictReader(f, delimiter="\t"))
            self.assertEqual({r["case"] for r in table}, {"01-hole", "17-chips"})
            self.assertEqual(len({r["request"] for r in table}), len(score.BASELINES) + 2)
            by = {(r["request"], r["case"]): r for r in table}
            for case, p, mask in score.cases(os.path.join(HERE, "cases")):
                for name, folder in (("The edit", "The-edit"), ("Grain & all", "Grain-all")):
                    if (name, case) not in by: continue
                    result = score.load(os.path.join(out, "results", folder, case + ".png"))
                    for column, value in score.score(result, p["truth"], p["target"], mask).items():
                        self.assertAlmostEqual(float(by[name, case][column]), value, places=3)
            self.assertNotEqual(by["The edit", "01-hole"]["in_psnr"], by["Grain & all", "01-hole"]["in_psnr"])
            self.assertIn("| The edit |", done.stdout)
            self.assertTrue(os.path.exists(os.path.join(out, "results", "sheet.jpg")))

    def test_a_line_that_is_no_row_is_refused(self):
        with tempfile.TemporaryDirectory() as out:
            rows = os.path.join(out, "rows")
            with open(rows, "w") as f: f.write("The edit\tpreset instant\n")
            done = self.evaluate(os.path.join(out, "results"), "--rows", rows)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("line 1", done.stderr)

    def test_the_ablations_name_parameters_of_the_program(self):
        sys.path.insert(0, HERE)
        import evaluate
        known = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
        files = sorted(os.listdir(os.path.join(HERE, "rows")))
        self.assertGreater(len(files), 4)
        for name in files:
            with open(os.path.join(HERE, "rows", name)) as f: rows = evaluate.read_rows(f.read())
            self.assertEqual(len({evaluate.folder_of(row) for row, _ in rows}), len(rows), name)
            for row, settings in rows:
                self.assertTrue(settings, (name, row))
                for key, value in settings.items(): self.assertRegex(known, rf"--{key}[ =\]]", (name, row))


if __name__ == "__main__":
    tap.main()
