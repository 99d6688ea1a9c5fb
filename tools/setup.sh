#!/usr/bin/env bash
# Installs the Debian packages of tools/packages.txt that are missing. Usage:
#   tools/setup.sh [build|test|bench|all]     each includes the ones before it; default all
# As root, or through sudo. Touches the network only if something is missing.
set -o errexit -o nounset -o pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
want=${1:-all}
case "$want" in
  build) needs="build" ;;
  test) needs="build test" ;;
  bench | all) needs="build test bench" ;;
  *)
    echo "setup: unknown set '$want' (build, test, bench, all)" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null; then
  echo "setup: this is not Debian; install what tools/packages.txt lists in your system's way" >&2
  exit 1
fi

# One call for all packages: asking dpkg for each takes seconds.
declare -A installed=()
while read -r state name; do
  if [[ $state == ii* ]]; then installed[${name%%:*}]=1; fi
done < <(dpkg-query --show --showformat '${db:Status-Abbrev} ${binary:Package}\n')

missing=()
while read -r need package rest; do
  if [[ -z $need || $need == \#* ]]; then continue; fi
  if [[ " $needs " != *" $need "* ]]; then continue; fi
  if [[ -n ${installed[$package]:-} ]]; then continue; fi
  if [[ $rest =~ command=([a-z0-9+-]+) ]] && command -v "${BASH_REMATCH[1]}" >/dev/null; then
    continue
  fi
  missing+=("$package")
done <"$root/tools/packages.txt"

if ((${#missing[@]} == 0)); then
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "setup: missing packages, and neither root nor sudo: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "setup: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update --quiet=2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}" </dev/null
