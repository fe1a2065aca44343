#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What share of the machine's measured peak each row of one benchmark run reached.

    build/tests/benchmark/model_benchmark --benchmark_out=run.json
    tests/benchmark/share.py run.json

Against oneDNN's large matrix product and its large convolution of the same run, in the row's own number format. More than 1 is what
a faster formula saves: operations are those of the direct one.
"""
import json
import re
import sys


def rates(path):
    """(milliseconds, operations a second) by name; the fastest of repetitions."""
    with open(path) as f: found = json.load(f)["benchmarks"]
    fastest = {}
    for row in found:
        if row.get("run_type", "iteration") != "iteration" or row.get("error_occurred") or "items_per_second" not in row: continue
        scale = {"ns": 1e-6, "us": 1e-3, "ms": 1, "s": 1e3}[row["time_unit"]]
        if row["items_per_second"] > fastest.get(row["name"], (0, 0))[1]:
            fastest[row["name"]] = row["real_time"] * scale, row["items_per_second"]
    return fastest


def table(found):
    """Lines of a table in Markdown."""
    lines = ["| row | ms | GFLOP/s | of the matrix product | of the convolution |", "|---|---|---|---|---|"]
    for name, (milliseconds, rate) in found.items():
        bits = re.search(r"bits:\d+", name)
        peaks = [found.get(f"BM_Peak{kind}/{bits and bits[0]}/real_time") for kind in ("Matmul", "Convolution")]
        lines.append(f"| {name.removesuffix('/real_time')} | {milliseconds:.3g} | {rate / 1e9:.1f} | " +
                     " | ".join(f"{rate / peak[1]:.2f}" if peak else "" for peak in peaks) + " |")
    return lines


if __name__ == "__main__":
    if len(sys.argv) != 2: sys.exit(__doc__)
    print("\n".join(table(rates(sys.argv[1]))))
