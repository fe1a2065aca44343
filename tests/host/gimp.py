# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs real GIMP in batch mode: a fresh profile, the plug-in from the build folder, a Scheme job in, lines out."""
import os
import re
import shutil
import subprocess
import tempfile
import time

import cv2
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
VERSION = os.environ["GIMP_VERSION"]  # "2.10", "3.0"
CONSOLE = os.environ.get("GIMP_CONSOLE", "gimp-console-" + VERSION)
PLUGIN = os.environ["GIMP_PLUGIN"]  # the folder that holds geometry-transfer/geometry-transfer
SCRIPTS = os.path.join(HERE, "..", "..", "plugin", "scripts", VERSION)
TWO = VERSION.startswith("2")


class Gimp:
    """A profile folder. Every run is a new process."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="gt-gimp-")
        with open(self.path("gimprc"), "w") as f:
            f.write(f'(plug-in-path "{PLUGIN}:${{gimp_plug_in_dir}}/plug-ins")\n')
            if TWO: f.write(f'(pluginrc-path "{self.path("pluginrc")}")\n')
            f.write("(check-updates no)\n")
            if not TWO: f.write('(show-welcome-dialog no)\n(config-version "3.0.4")\n')

    def path(self, name): return os.path.join(self.folder, name)

    def close(self): shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self, **more):
        home = {"GIMP2_DIRECTORY" if TWO else "GIMP3_DIRECTORY": self.path("profile")}
        keep = {k: os.environ[k] for k in ("PATH", "ASAN_OPTIONS", "LD_PRELOAD") if k in os.environ}
        return {**keep, "HOME": self.folder, "XDG_CACHE_HOME": self.path("cache"), "LANG": "C.UTF-8", **home, **more}

    def start(self, *jobs, interpreter="plug-in-script-fu-eval", fonts=False, output=None, **environment):
        """Starts GIMP and returns a Popen. `jobs` are -b commands. Text layers need `fonts`, which are slow to load.
        `output`: a file for everything that it prints."""
        line = [CONSOLE, "-n", "-i", "-g", self.path("gimprc")] + ([] if fonts else ["-f"])
        line += ["-d"] if TWO else ["--batch-interpreter", interpreter]
        for job in jobs: line += ["-b", job]
        line += ["-b", "(gimp-quit 0)"] if TWO else ["--quit"]
        return subprocess.Popen(line, env=self.environment(**environment), stdin=subprocess.DEVNULL,
                                stdout=output or subprocess.PIPE, stderr=output or subprocess.PIPE, text=True, errors="replace")

    def run(self, *jobs, timeout=800, **more):
        """Runs GIMP to its end and returns a CompletedProcess."""
        with self.start(*jobs, **more) as process:
            try: out, err = process.communicate(timeout=timeout)
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def scheme(self, text):
        """Returns the -b command that runs this text after the libraries."""
        with open(self.path("job.scm"), "w") as f:
            f.write(f'(define FOLDER "{self.folder}")\n' + text)
        loads = [os.path.join(SCRIPTS, "geometry-transfer-batch.scm"), os.path.join(HERE, f"lib-{VERSION[0]}.scm"),
                 os.path.join(HERE, "common.scm"), self.path("job.scm")]
        return "(begin " + " ".join(f'(load "{path}")' for path in loads) + ")"

    def job(self, text, timeout=800, **environment):
        """Runs Scheme after the libraries. Returns the cases' lines and everything that was printed."""
        done = self.run(self.scheme(text), timeout=timeout, **environment)
        printed = done.stdout + done.stderr
        return parse(printed), "\n".join(line for line in printed.splitlines() if line.strip())


def until(what, answer, seconds=60):
    """Polls until the answer is not empty, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = answer()
        if got: return got
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s for {what}")


def processes(folder, word=""):
    """Ids of the processes of this profile's GIMP whose command line holds the word."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/environ", "rb") as f: mine = folder.encode() in f.read()
            with open(f"/proc/{name}/cmdline", "rb") as f: line = f.read()
        except OSError: continue
        if mine and word.encode() in line: found.append(int(name))
    return found


class Lines(dict):
    """One case's lines. case[key] is the last value, all() gives all values of a key, `errors` GIMP's error
    messages."""

    def __init__(self):
        super().__init__()
        self.list, self.errors = [], []

    def all(self, key): return [v for k, v in self.list if k == key]


def parse(printed):
    cases, case, awaiting = {}, Lines(), False
    for line in printed.splitlines():
        said = re.match(r".*Warning: GT (\S+) ?(.*)", line)
        if awaiting and line.strip():
            case.errors.append(line.strip())
            awaiting = False
        if said and said.group(1) == "case":
            case = cases.setdefault(said.group(2), Lines())
        elif said:
            case[said.group(1)] = said.group(2)
            case.list.append((said.group(1), said.group(2)))
        elif "GIMP-Error: Calling error for procedure" in line:
            awaiting = True  # the message is in the next line
    return cases


def write(path, pixels):
    # Uncompressed, because OpenCV otherwise writes floats as LogLuv, which changes them.
    ok, data = cv2.imencode(os.path.splitext(path)[1], pixels, [cv2.IMWRITE_TIFF_COMPRESSION, 1])
    assert ok
    data.tofile(path)


def read(path):
    pixels = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    assert pixels is not None, path
    return pixels


def grain(height, width, colour, amount, seed):
    noise = np.random.default_rng(seed).normal(0, amount, (height, width, 1))
    return np.clip(np.array(colour) + cv2.GaussianBlur(noise, (0, 0), 1)[..., None], 0, 255).round().astype(np.uint8)


def make_scene(folder):
    """Writes target.png (200 x 160), source.png and mask.png (150 x 140): a dark dent at (70, 60), radius 26."""
    target = grain(160, 200, (90, 140, 190), 8, 1)
    source = grain(140, 150, (150, 120, 100), 4, 2)
    mask = np.zeros((140, 150), np.uint8)
    cv2.circle(mask, (70, 60), 26, 255, -1)
    dent = cv2.GaussianBlur((mask > 0).astype(np.float32), (0, 0), 5)[..., None]
    source = (source * (1 - 0.5 * dent)).round().astype(np.uint8)
    for name, pixels in (("target", target), ("source", source), ("mask", mask)):
        write(os.path.join(folder, name + ".png"), pixels)
    return target, source, mask
