#!/usr/bin/env bash
# Everything that must hold; `./x help` tells the options. Every check is a ctest test with a label.
# In release all of them run but those labelled `deep`; under the sanitizers what computes in one
# process (unit, model, fuzz-short). The last line of the output is "N passed, N failed".
set -o nounset -o pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
python=/usr/bin/python3
jobs=${DRAY_JOBS:-$(nproc)}
deep=no
only=''
while (($# > 0)); do
  case "$1" in
    --deep) deep=yes && shift ;;
    --only) only=${2:?--only needs a pattern} && shift 2 ;;
    *)
      echo "test: unknown argument '$1'" >&2
      exit 2
      ;;
  esac
done

results=build/results
mkdir --parents "$results"
rm --force "$results"/*.xml
expected=() # The result files that must be there.
steps=()    # What is no ctest test: "passed <name>" or "failed <name>".
started=$SECONDS

say() { printf '\n== %s (%d s) ==\n' "$*" "$((SECONDS - started))"; }

# Runs a command that counts as one test.
step() {
  local name=$1
  shift
  say "$name"
  if "$@"; then steps+=("passed $name"); else steps+=("failed $name"); fi
  [[ ${steps[-1]} == passed* ]]
}

# Builds a preset, or some targets of it; a failure counts, a success is shown by its tests.
built() {
  say "build $1"
  ./x build "$@" && return
  steps+=("failed build $1")
  return 1
}

# Runs ctest in a preset. $2…: how to choose among its tests.
check() {
  local preset=$1
  shift
  say "test $preset"
  if [[ -z $only ]]; then expected+=(--expect "$preset"); fi
  ctest --test-dir "build/$preset" --parallel "$jobs" --output-on-failure \
    --output-junit "$root/$results/$preset.xml" ${only:+--tests-regex "$only"} "$@" </dev/null |
    grep --invert-match --extended-regexp '^ +Start +[0-9]+:'
}

finish() {
  say "done"
  local flags=(${expected[@]+"${expected[@]}"}) entry
  for entry in ${steps[@]+"${steps[@]}"}; do flags+=(--step "$entry"); done
  "$python" tools/test_summary.py ${flags[@]+"${flags[@]}"} "$results"
  exit $?
}

if [[ -z $only ]]; then
  if ! tools/setup.sh test; then
    steps+=("failed setup")
    finish
  fi
fi

in_process='^(unit|model|fuzz-short)$'
in_process_targets=(--target in-process-tests)
built release && check release --label-exclude '^deep$'
built asan "${in_process_targets[@]}" && check asan --label-regex "$in_process"

if [[ $deep == yes ]]; then
  built tsan "${in_process_targets[@]}" && check tsan --label-regex "$in_process"
  built clang-release && check clang-release --label-regex "$in_process"
  say "test release, long"
  ctest --test-dir build/release --output-on-failure --label-regex '^deep$' \
    --output-junit "$root/$results/release-deep.xml" </dev/null
  step "headers and clang-tidy on all files" tools/lint.sh --all headers clang-tidy
  if compgen -G 'build/asan/fuzz/*.corpus' >/dev/null; then
    step "fuzz" tools/fuzz.sh --seconds 120
  fi
fi
finish
