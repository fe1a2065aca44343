# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documents name exists: files, options, presets."""
import os
import re
import subprocess
import unittest

import tap

ROOT = os.environ["SOURCE"]
SHOWN = re.compile(r"\]\(([^)#]+)\)|`([^`\n]+)`")


def documents():
    """All .md files of the tree; git is not needed for them."""
    for folder, folders, names in os.walk(ROOT):
        if folder == ROOT: folders[:] = [f for f in folders if not f.startswith((".", "build", "demo-output"))]
        for name in names:
            if name.endswith(".md"): yield os.path.relpath(os.path.join(folder, name), ROOT)


def named_files(text):
    """Links, and what stands in backticks and starts with one of our folders or is a file at the top."""
    tops = set(os.listdir(ROOT))
    for link, code in SHOWN.findall(text):
        if link:
            if "://" not in link: yield link, True
        elif re.fullmatch(r"[\w./-]+", code) and (code.split("/")[0] in tops and "/" in code):
            yield code, False


class Documents(unittest.TestCase):
    def test_files_that_are_named_exist(self):
        count = 0
        for document in documents():
            with open(os.path.join(ROOT, document), encoding="utf-8") as f: text = f.read()
            for name, is_link in named_files(text):
                if "NAME" in name or name.startswith(("build/", "build-")): continue
                count += 1
                base = os.path.join(ROOT, os.path.dirname(document)) if is_link else ROOT
                self.assertTrue(os.path.exists(os.path.join(base, name)), f"{document} names {name}")
        self.assertGreater(count, 20)

    def test_options_of_the_readme_exist(self):
        shown = subprocess.run([os.environ["GEOMETRY_TRANSFER"], "--help"], capture_output=True, text=True).stdout
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f: text = f.read()
        lines = [line.split("geometry-transfer ", 1)[1] for line in text.splitlines() if "geometry-transfer --" in line or "geometry-transfer ..." in line]
        options = {option for line in lines for option in re.findall(r"(?<!\S)(--[a-z][a-z-]+)", line)}
        self.assertGreater(len(options), 8)
        for option in options: self.assertIn(f"  {option} " if option not in ("--quiet", "--list-models") else option, shown)


if __name__ == "__main__":
    tap.main()
