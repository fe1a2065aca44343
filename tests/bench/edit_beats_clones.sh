#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# edit_beats_clones.sh PROGRAM PYTHON FOLDER: the preset Instant on FOLDER/cases, scored.
set -eu
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$1" --batch "$3/cases" --output "$out" --preset instant --quiet
"$2" "$3/score.py" "$3/cases" "$out" --beats-clones 2
