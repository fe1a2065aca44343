# SPDX-License-Identifier: GPL-3.0-or-later
"""Many transfers in one session of real GIMP: memory, descriptors, threads, processes and files stay as they are.
GT_TRANSFERS=200 GT_EVERY=50 makes it long, with every 50th by the model."""
import os
import unittest

import gimp
import tap

MANY = int(os.environ.get("GT_TRANSFERS", 20))
EVERY = int(os.environ.get("GT_EVERY", 0))


def status(pid, key):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(key + ":"))


class LongUse(unittest.TestCase):
    def setUp(self):
        self.gimp = gimp.Gimp()
        self.addCleanup(self.gimp.close)
        gimp.make_scene(self.gimp.folder)

    def sample(self, pid):
        """After a transfer: what there is of everything."""
        files = sum(len(names) for _, _, names in os.walk(self.gimp.folder))
        return dict(memory=status(pid, "VmRSS") / 1024, threads=status(pid, "Threads"), descriptors=len(os.listdir(f"/proc/{pid}/fd")),
                    processes=len(gimp.processes(self.gimp.folder)), files=files)

    def test_nothing_grows(self):
        gate = self.gimp.path("gate")
        os.mkfifo(gate)
        # Each transfer is followed by a line to the pipe and one from it, so that samples are taken while nothing runs.
        job = self.gimp.scheme(f"""
          (define (one number)
            (let* ((image (scene 0 0)) (preset (if (and (> {EVERY} 0) (= 0 (remainder number {max(EVERY, 1)}))) "balanced" "instant"))
                   (layer (geometry-transfer image (target-of image) (source-of image) (list "preset" preset))))
              (say "sum" number preset (statistics layer))
              (gimp-image-delete image)
              (let ((out (open-output-file "{gate}"))) (display number out) (close-output-port out))
              (let ((in (open-input-file "{gate}"))) (read in) (close-input-port in))))
          (let loop ((number 1)) (if (<= number {MANY}) (begin (one number) (loop (+ number 1)))))""")
        log = self.gimp.path("log")
        samples = []
        with open(log, "w") as out, self.gimp.start(job, output=out) as process:
            try:
                for number in range(1, MANY + 1):
                    with open(gate) as f: self.assertEqual(f.read(), str(number))
                    samples.append(self.sample(process.pid))
                    with open(gate, "w") as f: f.write("1\n")
                process.wait()
            finally:
                process.kill()
        with open(log, errors="replace") as f: printed = f.read()
        sums = {}
        for line in printed.splitlines():
            if " GT sum " in line:
                _, preset, rest = line.split(" GT sum ")[1].split(" ", 2)
                sums.setdefault(preset, set()).add(rest)
        self.assertTrue(sums, printed)
        for preset, results in sums.items(): self.assertEqual(len(results), 1, (preset, results))
        half = samples[len(samples) // 2:]
        first, last = half[0], half[-1]
        print("#", f"{MANY} transfers;", ", ".join(f"{k} {first[k]:.0f} -> {last[k]:.0f}" for k in first), flush=True)
        for what in ("threads", "descriptors", "files"): self.assertEqual(last[what], first[what], samples)
        self.assertLessEqual(last["processes"], first["processes"] + (1 if EVERY else 0))
        self.assertLess(last["memory"], first["memory"] + max(20, 0.1 * first["memory"]))


if __name__ == "__main__":
    tap.main()
