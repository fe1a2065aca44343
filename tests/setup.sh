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

# build FOLDER [MESON OPTION...]: configures FOLDER once, then builds what has changed.
build() {
  local folder=$1
  shift
  if [ ! -f "$folder/build.ninja" ]; then meson setup "$folder" "$@" > "$folder.log" 2>&1 || { cat "$folder.log"; return 1; }; fi
  ninja -C "$folder" -j "${JOBS:-$(nproc)}" > "$folder.log" 2>&1 || { tail -n 60 "$folder.log"; return 1; }
}
