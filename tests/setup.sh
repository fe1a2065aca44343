# SPDX-License-Identifier: GPL-3.0-or-later
# Shared by ./run-tests, ./run-demo, ./install-for-me and .ci/run: installs Debian packages and builds. Does nothing if
# all is done.

# first_known "a | b": prints the first of the packages that this Debian's sources have.
first_known() {
  local name
  for name in ${1//|/ }; do
    if [ -n "$(apt-cache madison "$name" 2>/dev/null)" ]; then echo "$name"; return; fi
  done
  echo "No package of \"$1\" is in this Debian's sources." >&2
  return 1
}

is_installed() { [ "$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null)" = 'install ok installed' ]; }

# install_packages LIST...: installs the packages of tests/packages/LIST.txt that are missing.
install_packages() {
  local list line name missing=()
  for list in "$@"; do
    while read -r line; do
      case $line in '' | \#*) continue ;; esac
      for name in ${line//|/ }; do is_installed "$name" && continue 2; done
      missing+=("$line")
    done < "tests/packages/$list.txt"
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  local root=()
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo > /dev/null; then
      printf 'These Debian packages are missing, and neither root nor sudo is at hand to install them:\n' >&2
      printf '  %s\n' "${missing[@]}" >&2
      return 1
    fi
    root=(sudo)
  fi
  "${root[@]}" apt-get update -qq
  local wanted=()
  for line in "${missing[@]}"; do wanted+=("$(first_known "$line")") || return 1; done
  echo "Installing: ${wanted[*]}"
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" < /dev/null > /dev/null
}

# say_how_far: reads ninja's output and tells how many of its steps are done: on a terminal in one line that counts,
# elsewhere in a line for each quarter.
say_how_far() {
  local line ready all told=0
  while IFS= read -r line; do
    [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
    ready=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]}
    if [ -t 1 ]; then
      printf '\r  %d of %d steps' "$ready" "$all"
    elif ((4 * ready / all > told)); then
      told=$((4 * ready / all))
      printf '  %d of %d steps\n' "$ready" "$all"
    fi
  done
  [ ! -t 1 ] || printf '\r\033[K'  # clears the line
}

# build FOLDER [MESON OPTION...]: configures FOLDER once, then builds what has changed. The caller has set pipefail.
build() {
  local folder=$1
  shift
  if [ ! -f "$folder/build.ninja" ]; then meson setup "$folder" "$@" > "$folder.log" 2>&1 || { cat "$folder.log"; return 1; }; fi
  ninja -C "$folder" -j "${JOBS:-$(nproc)}" 2>&1 < /dev/null | tee "$folder.log" | say_how_far || { tail -n 60 "$folder.log"; return 1; }
}
