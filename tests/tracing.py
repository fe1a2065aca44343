# SPDX-License-Identifier: GPL-3.0-or-later
"""strace, where it is installed and allowed."""
import shutil
import subprocess

STRACE = shutil.which("strace")


def can_trace():
    return STRACE and subprocess.run([STRACE, "-qq", "-o", "/dev/null", "true"], capture_output=True).returncode == 0
