#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the fuzz targets as OSS-Fuzz and ClusterFuzzLite ask for it: programs, seed corpora, dictionaries and libraries
# in $OUT. They set CXX, CXXFLAGS, SRC, WORK and OUT. TARGETS="key_map index" builds some targets only.
set -eu
root=$SRC/geometry-transfer
[ -d "$root" ] || root=$(cd "$(dirname "$0")/../../.." && pwd)
targets=${TARGETS:-safetensors index config single_file key_map model_paths image request}
build=$WORK/build

# OpenCV is a package and has libstdc++ in its interface. libFuzzer brings its own copy of libc++.
export CXXFLAGS="${CXXFLAGS//-stdlib=libc++/}"

rm -rf "$build"
meson setup "$build" "$root" -Dfuzz=true -Ddiffusion=disabled -Dhosts=disabled -Dbuildtype=plain -Doptimization=1 -Db_lundef=false
programs=()
for target in $targets; do programs+=("tests/fuzz/${target}_fuzz"); done
ninja -C "$build" -j "${JOBS:-$(nproc)}" tests/fuzz/seeds "${programs[@]}"

# The seeds come from the code, so that they fit today's formats.
ASAN_OPTIONS=detect_leaks=0 "$build/tests/fuzz/seeds" "$root/tests/golden" "$build/seeds"

mkdir -p "$OUT/lib"
for target in $targets; do
  program=$OUT/${target}_fuzz
  cp "$build/tests/fuzz/${target}_fuzz" "$program"
  # The targets run in another image. It has the C library, but none of these packages.
  ldd "$program" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | while read -r library; do
    case ${library##*/} in
      libc.so.* | libm.so.* | libdl.so.* | librt.so.* | libpthread.so.* | libresolv.so.* | ld-linux*) ;;
      *) cp -L -n "$library" "$OUT/lib/" ;;
    esac
  done
  # An RPATH, not a RUNPATH: it holds for the libraries of libraries, too.
  patchelf --force-rpath --set-rpath "\$ORIGIN/lib" "$program"
  (cd "$build/seeds/$target" && find . -type f | sort | zip -q -X -@ "$OUT/${target}_fuzz_seed_corpus.zip")
  dictionary=$root/tests/fuzz/$target.dict
  [ -f "$dictionary" ] || dictionary=$root/tests/fuzz/keys.dict
  cp "$dictionary" "$OUT/${target}_fuzz.dict"
done
