# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite leaves no file in the source tree: usage: clean_tree.py before|after SOURCE BUILD.

"before" runs first and notes the untracked files, "after" runs last and fails with the names of new ones."""
import os
import subprocess
import sys

SKIP = 77  # Meson's exit code for a skipped test


def untracked(source):
    """The files that Git neither tracks nor ignores; None outside a Git work tree."""
    done = subprocess.run(["git", "-C", source, "ls-files", "--others", "--exclude-standard", "-z"], capture_output=True)
    return None if done.returncode else set(done.stdout.split(b"\0")) - {b""}


def main(when, source, build):
    note = os.path.join(build, "untracked-before")
    try:
        files = untracked(source)
    except FileNotFoundError:  # no Git
        return SKIP
    if files is None: return SKIP
    if when == "before":
        with open(note, "wb") as f: f.write(b"\0".join(files))
        return 0
    if not os.path.exists(note): return SKIP  # the first test did not run
    with open(note, "rb") as f: before = set(f.read().split(b"\0"))
    os.remove(note)
    left = sorted(os.fsdecode(name) for name in files - before)
    for name in left: print("left in the source tree:", name)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
