# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests compare.py and share.py on runs that are written here; no time is measured."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

import tap

COMPARE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compare.py")
SHARE = os.path.join(os.path.dirname(COMPARE), "share.py")
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

    def test_shares_are_of_the_peaks_in_the_same_format(self):
        def row(name, rate, unit="ms"): return {"name": name + "/real_time", "real_time": 2, "time_unit": unit, "items_per_second": rate}
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.json")
            with open(path, "w") as f:
                json.dump({"benchmarks": [row("BM_PeakMatmul/bits:32", 100e9), row("BM_PeakConvolution/bits:32", 80e9),
                                          row("BM_PeakMatmul/bits:16", 400e9), row("net/bits:32/mid", 60e9),
                                          row("net/bits:32/mid", 40e9), row("net/bits:16/mid", 60e9, "s")]}, f)
            done = subprocess.run([sys.executable, SHARE, path], capture_output=True, text=True, check=True)
        lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()]
        self.assertEqual(lines[5], ["net/bits:32/mid", "2", "60.0", "0.60", "0.75"])
        self.assertEqual(lines[6], ["net/bits:16/mid", "2e+03", "60.0", "0.15", ""])

    def test_two_runs_are_wanted(self):
        self.assertNotEqual(subprocess.run([sys.executable, COMPARE], capture_output=True).returncode, 0)


if __name__ == "__main__":
    tap.main()
