# SPDX-License-Identifier: GPL-3.0-or-later
"""The documents against the tree and the program: files, options, tables and line lengths."""
import json
import os
import re
import subprocess
import sys
import unittest

import tap

ROOT = os.environ["SOURCE"]
SHOWN = re.compile(r"\]\(([^)#]+)\)|`([^`\n]+)`")
COLUMNS = 120


def documents():
    """All .md files of the tree, relative to it. Works without git."""
    for folder, folders, names in os.walk(ROOT):
        if folder == ROOT: folders[:] = [f for f in folders if not f.startswith((".", "build", "demo-output"))]
        for name in names:
            if name.endswith(".md"): yield os.path.relpath(os.path.join(folder, name), ROOT)


def read(document):
    with open(os.path.join(ROOT, document), encoding="utf-8") as f: return f.read()


def named_files(text):
    """Yields (path, is_link) for links, and for code in backticks that is a path in one of the tree's folders."""
    tops = set(os.listdir(ROOT))
    for link, code in SHOWN.findall(text):
        if link:
            if "://" not in link: yield link, True
        elif re.fullmatch(r"[\w./-]+", code) and (code.split("/")[0] in tops and "/" in code):
            yield code, False


def sources():
    """Yields the code and build files of the tree, relative to it. Works without git."""
    for top in ("core", "plugin", "tests"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                if name.endswith((".cpp", ".h", ".py", ".scm", ".build", ".sh")): yield os.path.relpath(os.path.join(folder, name), ROOT)


def named_tests(text):
    """Names of tests in the third column of the tables that have a column "test", without the release of GIMP."""
    found, in_table = set(), False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) < 5: in_table = False
        elif cells[3] == "test": in_table = True
        elif in_table: found.update(re.sub(r"-(2\.10|3\.0)$", "", name) for name in re.findall(r"`([^`]+)`", cells[3]))
    return found


def long_lines(text):
    """Numbers of the lines above COLUMNS. Tables may be wider, and so may a line that holds a link."""
    return [number for number, line in enumerate(text.splitlines(), 1)
            if len(line) > COLUMNS and not line.lstrip().startswith("|") and not re.search(r"\]\(|://", line)]


def long_comments(text):
    """Numbers of the lines above COLUMNS that are a comment only. A line that holds a link may be longer."""
    return [number for number, line in enumerate(text.splitlines(), 1)
            if len(line) > COLUMNS and re.match(r"\s*(//|#|;)", line) and "://" not in line]


def shown_options(text):
    """Options of the lines that call the program."""
    calls = [line.split("geometry-transfer ", 1)[1] for line in text.splitlines() if re.search(r"\bgeometry-transfer (--|\.\.\.)", line)]
    return {option for call in calls for option in re.findall(r"(?<!\S)(--[a-z][a-z-]+)", call)}


class Documents(unittest.TestCase):
    def test_files_that_are_named_exist(self):
        count = 0
        for document in documents():
            for name, is_link in named_files(read(document)):
                if "NAME" in name or name.startswith(("build/", "build-")): continue
                count += 1
                base = os.path.join(ROOT, os.path.dirname(document)) if is_link else ROOT
                self.assertTrue(os.path.exists(os.path.join(base, name)), f"{document} names {name}")
        self.assertGreater(count, 20)

    def test_documents_that_sources_cite_exist(self):
        count = 0
        for source in sources():
            for name in re.findall(r"\bdocs/[\w/-]+\.md\b", read(source)):
                count += 1
                self.assertTrue(os.path.exists(os.path.join(ROOT, name)), f"{source} cites {name}")
        self.assertGreater(count, 8)

    def test_tests_that_are_named_exist(self):
        with open(os.path.join(os.environ["BUILD"], "meson-info", "intro-tests.json"), encoding="utf-8") as f:
            known = {re.sub(r"-(2\.10|3\.0)$", "", test["name"]) for test in json.load(f)}
        named = named_tests(read(os.path.join("docs", "safety.md")))
        self.assertGreater(len(named), 20)
        if not {"gui", "models"} <= known: self.skipTest("built without a GIMP or without the diffusion part, so without their tests")
        self.assertEqual(named - known, set())

    def test_options_that_are_shown_exist(self):
        help_text = subprocess.run([os.environ["GEOMETRY_TRANSFER"], "--help"], capture_output=True, text=True).stdout
        known = set(re.findall(r"^\s+(?:-\w,)?(--[a-z][a-z-]+)", help_text, re.M))
        self.assertIn("--target", known)
        count = 0
        for document in ["README.md"] + [d for d in documents() if d.startswith("docs" + os.sep + "guide")]:
            options = shown_options(read(document))
            count += len(options)
            self.assertEqual(options - known, set(), document)
        self.assertGreater(count, 15)

    def test_lines_of_prose_are_short(self):
        self.assertEqual(long_lines("x" * 120 + "\n" + "x" * 121 + "\n| " + "x" * 130 + "\n[x](y) " + "x" * 130), [2])
        found = [f"{document}:{number}" for document in documents() for number in long_lines(read(document))]
        self.assertEqual(found, [], f"longer than {COLUMNS} columns")

    def test_comments_are_at_most_120_columns_wide(self):
        self.assertEqual(long_comments("// " + "x" * 117 + "\n/// " + "x" * 117 + "\nint " + "x" * 130 + "\n# ://" + "x" * 130), [2])
        found = [f"{source}:{number}" for source in sources() for number in long_comments(read(source))]
        self.assertEqual(found, [], f"longer than {COLUMNS} columns")

    def test_tables_are_those_of_the_data(self):
        script = os.path.join(ROOT, "docs", "experiments", "tables.py")
        done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, "run docs/experiments/tables.py: " + done.stdout + done.stderr)


if __name__ == "__main__":
    tap.main()
