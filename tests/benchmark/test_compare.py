# SPDX-License-Identifier: GPL-3.0-or-later
"""compare.py on runs that are written here: no time is measured."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

import tap

COMPARE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compare.py")
PEAK = "BM_PeakConvolution/bits:32/real_time"


def table(*runs):
    """The rows that compare.py prints for two runs, each a list of (name, time, unit)."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("before.json", "after.json")]
        for path, run in zip(paths, runs):
            with open(path, "w") as f: json.dump({"benchmarks": [{"name": n, "real_time": t, "time_unit": u} for n, t, u in run]}, f)
        done = subprocess.run([sys.executable, COMPARE, *paths], capture_output=True, text=True, check=True)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()[2:]]


class Compare(unittest.TestCase):
    def test_the_fastest_repetition_counts_in_any_unit(self):
        self.assertEqual(table([("a", 10, "ms"), ("a", 8, "ms"), ("gone", 1, "ms")], [("a", 4000, "us"), ("new", 1, "ms")]),
                         [["a", "8", "4", "2.00"]])

    def test_slowest_first_and_against_the_peak_of_each_run(self):
        self.assertEqual(table([("a", 1, "ms"), (PEAK, 100, "ms")], [("a", 1, "ms"), (PEAK, 200, "ms")]),
                         [[PEAK, "100", "200", "0.50", "1.00"], ["a", "1", "1", "1.00", "2.00"]])

    def test_two_runs_are_wanted(self):
        self.assertNotEqual(subprocess.run([sys.executable, COMPARE], capture_output=True).returncode, 0)


if __name__ == "__main__":
    tap.main()
