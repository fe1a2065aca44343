#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# edit_beats_clones.sh PROGRAM PYTHON FOLDER: the preset Instant on the cases of FOLDER, scored. It must beat both
# clones by 2 dB on cases shaded by multiplication, and by 3 dB on physical ones.
set -eu
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for set in 'cases 2' 'physical 3'; do
  name=${set% *}
  mkdir "$out/$name"
  "$1" --batch "$3/$name" --output "$out/$name" --preset instant --quiet
  "$2" "$3/score.py" "$3/$name" "$out/$name" --beats-clones "${set#* }"
done
