# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes many transfers in one session of real GIMP. Memory, descriptors, threads, processes and files must not grow.
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


def growth(values):
    """The least by which a sample of the last quarter exceeds a sample of the first half. A pipe or process that is
    just being closed is in one sample but not in the next, so only lasting growth counts."""
    return min(values[-(len(values) // 4):]) - max(values[:len(values) // 2])


class Growth(unittest.TestCase):
    def test_one_more_with_every_transfer_is_seen(self):
        self.assertGreater(growth([9 + number for number in range(20)]), 0)
        self.assertGreater(growth([9 + number // 3 + number % 2 for number in range(20)]), 0)

    def test_what_comes_and_goes_is_not(self):
        self.assertEqual(growth([10, 9] * 10), -1)
        self.assertEqual(growth([9] * 19 + [10]), 0)


class LongUse(unittest.TestCase):
    def setUp(self):
        self.gimp = gimp.Gimp()
        self.addCleanup(self.gimp.close)
        gimp.make_scene(self.gimp.folder)

    def sample(self, pid):
        """Counts all resources after a transfer."""
        files = sum(len(names) for _, _, names in os.walk(self.gimp.folder))
        return dict(memory=status(pid, "VmRSS") / 1024, threads=status(pid, "Threads"), descriptors=len(os.listdir(f"/proc/{pid}/fd")),
                    processes=len(gimp.processes(self.gimp.folder)), files=files)

    def test_nothing_grows(self):
        gate = self.gimp.path("gate")
        os.mkfifo(gate)
        # After each transfer GIMP writes a line to the pipe and reads one, so samples are taken while nothing runs.
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
        grown = {what: growth([sample[what] for sample in samples]) for what in samples[0]}
        half = samples[len(samples) // 2]
        print("#", f"{MANY} transfers;", ", ".join(f"{what} {half[what]:.0f} -> {samples[-1][what]:.0f}" for what in half), flush=True)
        for what in ("threads", "descriptors", "files"): self.assertLessEqual(grown[what], 0, (what, samples))
        self.assertLessEqual(grown["processes"], 1 if EVERY else 0, samples)
        self.assertLess(grown["memory"], max(20, 0.1 * half["memory"]), samples)


if __name__ == "__main__":
    tap.main()
