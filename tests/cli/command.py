# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the command line under test, with small pictures. Every case works in a new folder."""
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import cv2
import numpy as np

PROGRAM = os.environ["GEOMETRY_TRANSFER"]


def run(*args, **options):
    """Returns a CompletedProcess with text. Never raises because of the exit code."""
    return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=options.pop("timeout", 120), **options)


# A new process starts with the peak memory of its parent, so a small parent starts it.
MEASURE = """import os, sys
child = os.fork()
if child == 0: os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status) % 256)"""


def peak(arguments, **options):
    """Returns the finished process and its peak memory in bytes."""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", MEASURE, PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, **options)
    return done, int(done.stdout.split()[-1]) * 1024


def material(height, width, colour, grain, seed):
    """A flat material with grain, 8 bit B G R."""
    noise = np.random.default_rng(seed).normal(0, grain, (height, width, 1))
    return np.clip(np.array(colour) + cv2.GaussianBlur(noise, (0, 0), 1)[..., None], 0, 255).round().astype(np.uint8)


def resident_kilobytes(child):
    with open(f"/proc/{child.pid}/status") as f: rows = dict(line.split(":", 1) for line in f)
    return int(rows.get("VmRSS", "0 kB").split()[0])


def wait_for_memory(child, kilobytes):
    """Returns when the program `child` (subprocess.Popen) has taken so much memory, or has ended."""
    while child.poll() is None and resident_kilobytes(child) < kilobytes: time.sleep(0.005)


def end_by(child, number):
    """Send signal `number` to `child` (subprocess.Popen with stderr=PIPE) and wait for its end. -> (what it says on
    stderr, the seconds of processor time that it takes after the signal). Processor time, because a busy machine
    delays the end. No other child may end meanwhile."""
    def spent():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    before = spent()
    with open(f"/proc/{child.pid}/stat") as f: fields = f.read().rsplit(")", 1)[1].split()
    until_signal = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    child.send_signal(number)
    said = child.communicate(timeout=100)[1]
    return said, spent() - before - until_signal


class Case(unittest.TestCase):
    """self.folder holds target.png (160 x 120), source.png and mask.png (128 x 128, a dark dent)."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gt cli \u00e4-")  # every path has a space and a letter beyond ASCII
        self.target = material(120, 160, (90, 140, 190), 6, 1)
        source = material(128, 128, (150, 120, 100), 4, 2)
        self.mask = np.zeros((128, 128), np.uint8)
        cv2.circle(self.mask, (64, 60), 22, 255, -1)
        dent = cv2.GaussianBlur((self.mask > 0).astype(np.float32), (0, 0), 5)[..., None]
        source = (source * (1 - 0.5 * dent)).round().astype(np.uint8)
        self.write("target.png", self.target)
        self.write("source.png", source)
        self.write("mask.png", self.mask)

    def tearDown(self):
        shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, pixels):
        ok, data = cv2.imencode(os.path.splitext(name)[1], pixels)
        assert ok
        data.tofile(self.path(name))
        return self.path(name)

    def read(self, name):
        return cv2.imdecode(np.fromfile(self.path(name), np.uint8), cv2.IMREAD_UNCHANGED)

    def files(self, **other):
        """The arguments --target ... --output ..., with some replaced; None leaves one out."""
        names = dict(target="target.png", source="source.png", mask="mask.png", output="result.png")
        names.update(other)
        return [x for key, name in names.items() if name is not None for x in ("--" + key, self.path(name))]

    def instant(self, *args, **other):
        """`other`: files by their option, and arguments of subprocess.run."""
        options = {key: other.pop(key) for key in list(other) if key in ("env", "cwd", "preexec_fn", "timeout")}
        return run(*self.files(**other), "--preset", "instant", *args, **options)

    def ok(self, done):
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done

    def refused(self, done, *words, code=1):
        """Checks for one line on stderr that holds the words, for the exit code, and for no result."""
        self.assertEqual(done.returncode, code, done.stderr)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].startswith("geometry-transfer: "), lines[0])
        for word in words: self.assertIn(word, lines[0])
        self.assertFalse(os.path.exists(self.path("result.png")))
        self.assertEqual([n for n in os.listdir(self.folder) if n.startswith("result.")], [], "a temporary file stays")

    def report(self, done):
        return json.loads(done.stdout)
