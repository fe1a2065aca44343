#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare two benchmark runs, slowest row first.

    build/tests/benchmark/kernel_benchmark --benchmark_out=before.json       # another build: after.json
    tests/benchmark/compare.py before.json after.json

A machine is not equally fast in two runs. If both have the row PEAK, ratios are also given against it."""
import json
import sys

PEAK = "BM_PeakConvolution/bits:32/real_time"
UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}


def rows(path):
    """Seconds of one iteration by name; the fastest of repetitions."""
    with open(path) as f: found = json.load(f)["benchmarks"]
    times = {}
    for row in found:
        if row.get("run_type", "iteration") != "iteration" or row.get("error_occurred"): continue
        seconds = row["real_time"] * UNITS[row["time_unit"]]
        times[row["name"]] = min(seconds, times.get(row["name"], seconds))
    return times


def table(before, after):
    """Lines of a table in Markdown over the rows that both have."""
    machine = after[PEAK] / before[PEAK] if PEAK in before and PEAK in after else None
    lines = ["| benchmark | before, ms | after, ms | times faster |" + (" at equal peak |" if machine else ""),
             "|---|---|---|---|" + ("---|" if machine else "")]
    for name in sorted(before.keys() & after.keys(), key=lambda n: -before[n]):
        faster = before[name] / after[name]
        lines.append(f"| {name} | {before[name] * 1e3:.3g} | {after[name] * 1e3:.3g} | {faster:.2f} |" +
                     (f" {faster * machine:.2f} |" if machine else ""))
    return lines


if __name__ == "__main__":
    if len(sys.argv) != 3: sys.exit(__doc__)
    print("\n".join(table(rows(sys.argv[1]), rows(sys.argv[2]))))
