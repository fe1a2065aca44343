# SPDX-License-Identifier: GPL-3.0-or-later
"""The model in real GIMP: it is kept between the calls of one session, and gone with it."""
import platform
import unittest

import gimp
import tap

ONE_STEP = '(geometry-transfer image (target-of image) (source-of image) (list "preset" "custom" "correction" 0.4 "steps" 1))'
with open("/proc/self/status") as own_status:
    CAN_FILTER = "Seccomp:" in own_status.read() and platform.machine() in ("x86_64", "aarch64")


class KeptModel(unittest.TestCase):
    def setUp(self):
        self.gimp = gimp.Gimp()
        self.addCleanup(self.gimp.close)
        gimp.make_scene(self.gimp.folder)

    def workers(self): return gimp.processes(self.gimp.folder, "--geometry-transfer-worker")
    def filtered_workers(self):
        """Workers whose system calls the kernel filters."""
        found = []
        for pid in self.workers():
            with open(f"/proc/{pid}/status") as status: text = status.read()
            if "NoNewPrivs:\t1\n" in text and "Seccomp:\t2\n" in text: found.append(pid)
        return found
    def everything(self): return gimp.processes(self.gimp.folder)

    def reports(self, calls, **environment):
        """The reports of so many calls in one session: name -> value."""
        job = "".join(f"""(run-case "{i}" (lambda () (let* ((image (scene 0 0)) (layer {ONE_STEP}))
                            (say "report" (report-of layer)) (save-layer image (file "{i}.png")))))\n""" for i in range(calls))
        cases, printed = self.gimp.job(job, **environment)
        found = []
        for i in range(calls):
            self.assertEqual(cases[str(i)].get("finished"), "yes", printed)
            # The note has several lines. GIMP prints them unchanged.
            text = printed.split(f"GT case {i}\n")[1].split("GT finished")[0].split("GT report ")[1]
            found.append(dict(line.split("=", 1) for line in text.splitlines() if "=" in line))
        return found

    def test_a_third_call_does_not_load_it_and_nothing_outlives_gimp(self):
        reports = self.reports(3)
        print("#", ", ".join(f"call {i + 1}: {float(r['seconds']):.2f} s" for i, r in enumerate(reports)), flush=True)
        # The first call runs in its own process, because most scripts make only one. The second starts the worker,
        # which the others use.
        self.assertEqual(["load" in r for r in reports], [True, True, False])
        gimp.until("all to be gone", lambda: not self.everything(), 30)
        pictures = [gimp.read(self.gimp.path(f"{i}.png")) for i in range(3)]
        for picture in pictures[1:]: self.assertTrue((picture == pictures[0]).all())

    def test_who_does_not_want_it_has_it_loaded_every_time(self):
        self.assertTrue(all("load" in r for r in self.reports(3, GEOMETRY_TRANSFER_KEEP="0")))

    def test_gimp_killed_in_the_middle_takes_it_along(self):
        long = '(geometry-transfer image (target-of image) (source-of image) (list "preset" "custom" "correction" 0.4 "steps" 200))'
        job = self.gimp.scheme(f"""(let ((image (scene 0 0))) {ONE_STEP} {ONE_STEP} {long})""")
        with self.gimp.start(job) as process:
            try:
                gimp.until("the second call to start it", self.workers, 400)
                # The other tests show that transfers work in a confined worker.
                if CAN_FILTER: gimp.until("the worker to be confined", self.filtered_workers, 60)
            finally: process.kill()
            process.communicate()
        gimp.until("all to be gone", lambda: not self.everything(), 30)


if __name__ == "__main__":
    tap.main()
