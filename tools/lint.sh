#!/usr/bin/env bash
# Checks the source. Usage: tools/lint.sh [--all] [format|tidy|selftest|headers|clang-tidy]…
# Without names: all parts. --all: headers and clang-tidy on all files, not only on changed ones.
# Requires: build/release is configured (for headers and clang-tidy).
set -o errexit -o nounset -o pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
python=/usr/bin/python3
jobs=${DRAY_JOBS:-$(nproc)}
changed=(--changed --at-most 12)

check_format() {
  "$python" tools/source_files.py --cpp |
    xargs --null --no-run-if-empty clang-format-16 --dry-run --Werror
}

check_tidy() { "$python" tools/tidy.py; }

check_selftest() { "$python" -m unittest discover --start-directory tools --pattern '*_test.py'; }

# That each compiles alone. All of them take minutes where no cache knows them.
check_headers() {
  local targets=(check-headers) headers
  if ((${#changed[@]} > 0)); then
    mapfile -d '' -t headers < <("$python" tools/source_files.py --cpp --changed |
      grep --null-data --extended-regexp '^(src|sdk/cpp|tests|bench)/.*\.h$')
    if ((${#headers[@]} == 0)); then return; fi
    targets=("${headers[@]/#/CMakeFiles/check-headers.dir/check_headers/}")
    targets=("${targets[@]/%/.cc.o}")
  fi
  cmake --build build/release --target "${targets[@]}" --parallel "$jobs"
}

# Sources that no target of the release build compiles have no flags to be checked with.
check_clang-tidy() {
  "$python" tools/clang_tidy.py "${changed[@]}" --build build/release --jobs "$jobs"
}

parts=()
for argument in "$@"; do
  case "$argument" in
    --all) changed=() ;;
    format | tidy | selftest | headers | clang-tidy) parts+=("$argument") ;;
    *)
      echo "lint: unknown argument '$argument'" >&2
      exit 2
      ;;
  esac
done
if ((${#parts[@]} == 0)); then parts=(format tidy selftest headers clang-tidy); fi

failed=()
for part in "${parts[@]}"; do
  if ! "check_$part"; then failed+=("$part"); fi
done
if ((${#failed[@]} > 0)); then
  echo "lint: failed: ${failed[*]}" >&2
  exit 1
fi
echo "lint: ${parts[*]}: clean"
