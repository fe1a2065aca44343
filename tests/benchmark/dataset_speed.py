#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how fast data sets are made from the demo's photographs.

    dataset_speed.py PROGRAM [PROGRAM ...] [--count N]

PROGRAM is a geometry-transfer; several are compared in one run. For each it makes N pictures (60) in one process with one thread, in
one process with two, and in two processes with one thread each that share a manifest's shards. It prints pictures a second, seconds of
processor time a picture and the largest memory of a process.
"""
import argparse
import os
import resource
import shutil
import subprocess
import tempfile
import time

DEMO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../demo")
RUNS = (("1 process, 1 thread", 1, 1), ("1 process, 2 threads", 1, 2), ("2 processes, 1 thread each", 2, 1))


def measured(program, folder, count, processes, threads):
    """Pictures a second and processor seconds a picture."""
    out = os.path.join(folder, "out")
    shutil.rmtree(out, ignore_errors=True)
    args = [program, "--variants", str(count), "--seed", "1", "--target", os.path.join(DEMO, "wood.jpg"), "--source", os.path.join(folder, "sources"),
            "--output", out, "--threads", str(threads), "--rotation=-30..30", "--border=-60", "--quiet"]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    running = [subprocess.Popen(args + (["--shard", f"{i + 1}/{processes}"] if processes > 1 else [])) for i in range(processes)]
    if any([p.wait() for p in running]): raise SystemExit(f"{program} failed")
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    present = len(os.listdir(os.path.join(out, "images")))
    if present != count: raise SystemExit(f"{present} of {count} pictures are there")
    return count / wall, used / count, after.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", nargs="+")
    parser.add_argument("--count", type=int, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, "sources"))
        shutil.copy(os.path.join(DEMO, "leaf.jpg"), os.path.join(folder, "sources/leaf.jpg"))
        shutil.copy(os.path.join(DEMO, "leaf-mask.png"), os.path.join(folder, "sources/leaf_mask.png"))
        print("| program | run | pictures a second | processor seconds a picture | largest memory so far, MB |\n|---|---|---|---|---|")
        for name, processes, threads in RUNS:
            for program in asked.programs:
                rate, used, memory = measured(program, folder, asked.count, processes, threads)
                print(f"| {program} | {name} | {rate:.2f} | {used:.3f} | {memory:.0f} |", flush=True)


if __name__ == "__main__":
    main()
