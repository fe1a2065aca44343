# SPDX-License-Identifier: GPL-3.0-or-later
"""./install-for-me tells each step while it does it. Compiler and installer are replaced by scripts that take no time."""
import os
import pty
import shutil
import stat
import subprocess
import tempfile
import unittest

import tap

ROOT = os.environ["SOURCE"]
PLUGIN = "/home/someone/.config/GIMP/3.0/plug-ins/geometry-transfer/geometry-transfer"
TOOLS = {
    "dpkg-query": "echo -n 'install ok installed'",
    "meson": f"""case $1 in
      setup) mkdir -p build-user && touch build-user/build.ninja ;;
      introspect) echo '{{"a": "{PLUGIN}", "b": "/home/someone/.local/share/x.mo", "c": "/home/someone/.local/bin/geometry-transfer"}}' ;;
      install) touch installed ;;
    esac""",
    "ninja": """for i in 1 2 3 4 5 6 7 8; do
      echo "[$i/8] Compiling part $i"
      if [ "$i" = "${BREAKS_AT:-9}" ]; then echo 'part.cpp:1: error: no such thing'; exit 1; fi
    done""",
}


class InstallForMe(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gt install-")
        self.addCleanup(shutil.rmtree, self.folder)
        for name in ("install-for-me", "tests/setup.sh", "tests/packages/build.txt"):
            os.makedirs(os.path.dirname(os.path.join(self.folder, name)), exist_ok=True)
            shutil.copy(os.path.join(ROOT, name), os.path.join(self.folder, name))
        os.mkdir(os.path.join(self.folder, "tools"))
        for name, script in TOOLS.items():
            path = os.path.join(self.folder, "tools", name)
            with open(path, "w", encoding="utf-8") as f: f.write("#!/bin/bash\n" + script + "\n")
            os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        self.env = dict(os.environ, PATH=os.path.join(self.folder, "tools") + ":/usr/bin:/bin", HOME="/home/someone")

    def run_it(self, **env):
        return subprocess.run([os.path.join(self.folder, "install-for-me")], capture_output=True, text=True, env=dict(self.env, **env))

    def installed(self): return os.path.exists(os.path.join(self.folder, "installed"))

    def test_each_step_is_told_and_the_last_line_says_how_to_go_on(self):
        done = self.run_it()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertEqual([line[:6] for line in lines if line[0].isdigit()], ["1 of 3", "2 of 3", "3 of 3"])
        self.assertEqual([line for line in lines if "steps" in line], [f"  {n} of 8 steps" for n in (2, 4, 6, 8)])
        self.assertLess(lines.index("  8 of 8 steps"), [line[:6] for line in lines].index("3 of 3"))
        self.assertEqual([line for line in lines if "/home/" in line], ["  " + PLUGIN, "  /home/someone/.local/bin/geometry-transfer"])
        self.assertEqual(lines[-1], "Done. Start GIMP, then Filters > Map > Geometry Transfer.")
        self.assertTrue(self.installed())

    def test_a_terminal_sees_one_line_that_counts(self):
        ours, its = pty.openpty()
        done = subprocess.Popen([os.path.join(self.folder, "install-for-me")], stdout=its, stderr=its, env=self.env)
        os.close(its)
        seen = b""
        while True:
            try: more = os.read(ours, 4096)
            except OSError: break  # its end is closed
            if not more: break
            seen += more
        os.close(ours)
        self.assertEqual(done.wait(), 0, seen)
        self.assertIn(b"\r  1 of 8 steps\r  2 of 8 steps", seen)
        self.assertIn(b"\r  8 of 8 steps\r\033[K", seen)

    def test_a_build_that_fails_shows_why_and_installs_nothing(self):
        done = self.run_it(BREAKS_AT="5")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("part.cpp:1: error: no such thing", done.stdout)
        self.assertNotIn("3 of 3", done.stdout)
        self.assertFalse(self.installed())


if __name__ == "__main__":
    tap.main()
