# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of the plug-in in real GIMP at each of its messages to GIMP, without a model and with one. Image, undo
stack and selection are as before, or the whole result is there. The next transfer works. strace sends the signal
at the given call, so its place does not depend on time."""
import os
import re
import unittest

import gimp
import tap
from tracing import STRACE, can_trace

REAL = os.path.join(gimp.PLUGIN, "geometry-transfer", "geometry-transfer")
TRANSFER = '(geometry-transfer image (target-of image) (source-of image) (list "preset" "{}"))'


@unittest.skipUnless(can_trace(), "strace is missing or not allowed here")
class Killed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gimp = gimp.Gimp()
        gimp.make_scene(cls.gimp.folder)
        # This script replaces the plug-in. It counts the messages, or kills the plug-in at one of them, as the file
        # "how" says.
        wrapper = cls.gimp.path("plug-ins/geometry-transfer/geometry-transfer")
        os.makedirs(os.path.dirname(wrapper))
        with open(wrapper, "w") as f:
            f.write(f"""#!/bin/sh
case "$*" in *-query*|*-init*) exec {REAL} "$@" ;; esac
n=$(sed -n 1p '{cls.gimp.path("how")}')
sed -i 1d '{cls.gimp.path("how")}'
case "$n" in
  count) exec {STRACE} -qq -e trace=write -o '{cls.gimp.path("calls")}' {REAL} "$@" ;;
  [0-9]*) exec {STRACE} -qq -e trace=write -e inject=write:signal=KILL:when=$n -o /dev/null {REAL} "$@" ;;
  *) exec {REAL} "$@" ;;
esac
""")
        os.chmod(wrapper, 0o755)
        with open(cls.gimp.path("gimprc")) as f: rc = f.read()
        with open(cls.gimp.path("gimprc"), "w") as f: f.write(rc.replace(gimp.PLUGIN, cls.gimp.path("plug-ins")))

    @classmethod
    def tearDownClass(cls): cls.gimp.close()

    def how(self, lines):
        with open(self.gimp.path("how"), "w") as f: f.writelines(f"{line}\n" for line in lines)

    def test_at_every_message(self): self.killed("instant", 12)

    @unittest.skipUnless(os.environ.get("GT_MODEL"), "built without libtorch")
    def test_while_the_model_runs(self): self.killed("draft", 5)

    def killed(self, preset, places):
        """Kills at so many messages, evenly from the first to the last, and at each of the last five."""
        transfer = TRANSFER.format(preset)
        alone = {"GEOMETRY_TRANSFER_KEEP": "0"}  # the model runs in the plug-in's own process
        self.how(["count"])
        cases, printed = self.gimp.job(f"""(odd-case "count" (scene 0 0) (lambda (image) '()) (lambda (image) {transfer}) (lambda (image) '()))""", **alone)
        self.assertEqual(cases["count"].get("answer"), "works", printed)
        with open(self.gimp.path("calls")) as f: total = len([line for line in f if re.match(r"write\(", line)])
        self.assertGreater(total, 20)
        some = sorted({1 + i * (total - 1) // (places - 1) for i in range(places)} | set(range(total - 5, total + 1)))
        if os.environ.get("GT_ALL"): some = range(1, total + 1)
        self.how([*some, "whole"])
        job = "".join(f"""(odd-case "{n}" (scene 0 0) (lambda (image) '()) (lambda (image) {transfer}) (lambda (image)
            (say "top" (state-of (list (car (layers image)))))))\n""" for n in [*some, "whole"])
        cases, printed = self.gimp.job(job, timeout=1000, **alone)
        ended = 0
        whole = cases["whole"]
        self.assertEqual((whole["answer"], whole["added"]), ("works", "1"), printed)
        for n in some:
            with self.subTest(message=n, of=total):
                case = cases.get(str(n), {})
                self.assertEqual(case.get("finished"), "yes", printed)
                self.assertEqual(case["selected-after"], case["selected"])
                ended += case["answer"] == "refused"
                if case["added"] == "0":
                    self.assertEqual((case["after"], case["dirty"]), (case["before"], "no"))
                else:
                    self.assertEqual((case["added"], case["top"]), ("1", whole["top"]))
        self.assertGreater(ended, len(some) // 2)
        print(f"# {preset}, {len(some)} of {total} messages: {ended} transfers ended there", flush=True)


if __name__ == "__main__":
    tap.main()
