#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the tables of the documents from the data files in docs/experiments/data.

    docs/experiments/tables.py            writes each table anew
    docs/experiments/tables.py --check    exits with 1 and names the documents whose tables are not of the data

A document holds `<!-- data: NAME -->`, the table of NAME.tsv, and `<!-- end -->`. Lines of a .tsv that start with # say how the figures
were measured; the first other line holds the headings.
"""
import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BLOCK = re.compile(r"<!-- data: ([\w-]+) -->\n.*?<!-- end -->", re.S)


def table(name):
    """The Markdown table of data/NAME.tsv. Raises ValueError if a row has more or fewer cells than the headings."""
    with open(os.path.join(HERE, "data", name + ".tsv"), encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]
    for row in rows:
        if len(row) != len(rows[0]): raise ValueError(f"{name}.tsv: {len(row)} cells, but {len(rows[0])} headings: {row}")
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def with_tables(text):
    return BLOCK.sub(lambda m: f"<!-- data: {m[1]} -->\n{table(m[1])}<!-- end -->", text)


def documents():
    return sorted(glob.glob(os.path.join(HERE, "..", "**", "*.md"), recursive=True))


def main():
    stale = []
    for path in documents():
        with open(path, encoding="utf-8") as f: old = f.read()
        new = with_tables(old)
        if new == old: continue
        stale.append(os.path.relpath(path))
        if "--check" not in sys.argv:
            with open(path, "w", encoding="utf-8") as f: f.write(new)
    for path in stale: print(path)
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
