# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the program in odd places: no home, odd letters, closed folders. Checks which files it writes, and that it
uses no network."""
import json
import os
import re
import shutil
import struct
import subprocess
import unittest

import tap
from command import PROGRAM, Case, run
from tracing import STRACE, can_trace


def traced(arguments, log, **options):
    """Returns the finished process, and its system calls on files and sockets."""
    done = subprocess.run([STRACE, "-f", "-qq", "-s", "400", "-e", "trace=open,openat,creat,mkdir,mkdirat,unlink,unlinkat,rename,renameat,"
                           "renameat2,link,linkat,symlink,symlinkat,socket,connect,bind,execve", "-o", log, PROGRAM, *arguments],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, **options)
    with open(log, errors="replace") as f: return done, f.read().splitlines()


class Environment(Case):
    def test_no_home_and_nothing_else(self):
        self.ok(self.instant(env={}))
        done = run("--list-models", env={})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(run("--list-models", env={"HOME": "", "XDG_DATA_HOME": "", "GEOMETRY_TRANSFER_MODELS": ""}).returncode, 0)

    def test_letters_of_every_kind_in_every_path(self):
        folder = self.path("a b\t\u4e2d\u6587 '\"$x\\ \u00fc%s")
        os.mkdir(folder)
        names = {}
        for name in ("target", "source", "mask"):
            names[name] = os.path.join(os.path.basename(folder), name + " \u00e9.png")
            shutil.copy(self.path(name + ".png"), self.path(names[name]))
        names["output"] = os.path.join(os.path.basename(folder), "r\u00e9sultat \u7d50\u679c.png")
        report = os.path.join(folder, "r\u00e4port.json")
        for language in ("C", "C.UTF-8", "de_DE.UTF-8"):
            self.ok(self.instant("--report", report, "--layer", os.path.join(folder, "l\u00e4yer.png"), env={**os.environ, "LC_ALL": language},
                                 **names))
            self.assertIn("r\u00e9sultat \u7d50\u679c.png", open(report, encoding="utf-8").read())
        with open(self.path("\u00e4 list.tsv"), "w", encoding="utf-8") as f:
            f.write("target\tsource\tmask\toutput\ntarget.png\tsource.png\tmask.png\tr\u00e9 1.png\n")
        run("--batch", self.path("\u00e4 list.tsv"), "--preset", "instant", "--quiet")
        self.assertTrue(os.path.exists(self.path("r\u00e9 1.png")))
        # Bytes that are not UTF-8.
        odd = os.fsencode(self.folder) + b"/\xff\xfe.png"
        shutil.copy(self.path("target.png"), odd)
        done = subprocess.run([PROGRAM, "--target", odd, *self.files(target=None), "--preset", "instant", "--report", "json"], capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_searched_folder_of_any_kind(self):
        models = self.path("models")
        os.makedirs(os.path.join(models, "deep/er/and/deep/er"))
        os.symlink(models, os.path.join(models, "loop"))
        os.symlink("self", os.path.join(models, "self"))
        os.mkfifo(os.path.join(models, "pipe.safetensors"))
        os.mkdir(os.path.join(models, "folder.safetensors"))
        with open(os.path.join(models, "junk.safetensors"), "wb") as f: f.write(os.urandom(5000))
        for i in range(3000): open(os.path.join(models, f"deep/{i}.txt"), "w").close()
        done = run("--list-models", env={"HOME": self.folder, "GEOMETRY_TRANSFER_MODELS": models})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for name in ("junk", "pipe"): self.assertIn(name, done.stdout)

    def test_nothing_that_steers_a_terminal_is_printed(self):
        evil = "\x1b]0;title\x07\x1b[2J\x7f\r\n\u009b31m\u00e4"
        models = self.path("models")
        os.makedirs(models)
        for name in (evil + ".safetensors", "key.safetensors"):
            header = json.dumps({"x": {"dtype": evil, "shape": [1], "data_offsets": [0, 4]}}, ensure_ascii=False).encode()
            with open(os.path.join(models, name), "wb") as f: f.write(struct.pack("<Q", len(header)) + header + bytes(4))
        shown = run("--list-models", env={"HOME": self.folder, "GEOMETRY_TRANSFER_MODELS": models, "LC_ALL": "C.UTF-8"})
        self.assertIn("?]0;title??[2J?? ?31m\u00e4.safetensors", shown.stdout)
        missing = self.instant(target=evil + ".png")
        self.refused(missing, "?]0;title??[2J?? ?31m\u00e4.png")
        with open(self.path("jobs.json"), "w") as f:
            json.dump([dict(target=target, source="source.png", mask="mask.png", output=f"{i}\x1b.png") for i, target in enumerate(("target.png", evil))], f)
        batch = run("--batch", self.path("jobs.json"), "--preset", "instant")
        self.assertEqual((batch.returncode, len(batch.stderr.splitlines())), (1, 2), batch.stderr)
        for text in (shown.stdout, missing.stderr, batch.stderr):
            self.assertEqual([c for c in text if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)], [])

    def test_a_folder_that_cannot_be_written(self):
        closed = self.path("closed")
        os.mkdir(closed)
        os.chmod(closed, 0o555)
        drop = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
        if drop: os.chmod(self.folder, 0o755)
        try:
            self.refused(run(*self.files(output="closed/result.png"), "--preset", "instant", **drop), "closed", "cannot be written")
            self.assertEqual(os.listdir(closed), [])
        except PermissionError:
            self.skipTest("the program's own folder is closed to others")

    @unittest.skipUnless(can_trace(), "strace is missing or not allowed here")
    def test_writes_what_was_asked_for_and_asks_no_network(self):
        home = self.path("home")
        os.mkdir(home)
        for name, arguments in (("transfer", [*self.files(), "--preset", "instant"]), ("list", ["--list-models"])):
            done, calls = traced(arguments, self.path("calls.log"), env={"HOME": home, "PATH": os.environ["PATH"]}, cwd="/")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertGreater(len(calls), 10)
            self.assertFalse([c for c in calls if "AF_INET" in c])
            self.assertEqual(len([c for c in calls if "execve(" in c]), 1, "nothing else is started")
            written = set()
            for call in calls:
                path = re.search(r'"((?:[^"\\]|\\.)*)"', call)
                if not path or " = -1 " in call: continue
                if re.search(r"O_WRONLY|O_RDWR|O_CREAT|^\d+ +(creat|mkdir|unlink|rename|link|symlink)", call): written.add(path.group(1))
            written = {w for w in written if w not in ("/dev/null", "/dev/tty")}
            if name == "list":
                self.assertEqual(written, set())
            else:
                self.assertTrue(written)
                self.assertEqual([w for w in written if not re.search(r"/result\.png(\.\w{6})?$", w)], [])
            self.assertEqual(os.listdir(home), [])


if __name__ == "__main__":
    tap.main()
