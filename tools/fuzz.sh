#!/usr/bin/env bash
# Runs the fuzz targets with coverage feedback. Usage: tools/fuzz.sh [--seconds N] [--target NAME]
# What is found stays in build/fuzz/fuzz/: crash-<target>-… fails the run, found/<target>/ is the
# grown corpus, from which the next run goes on.
set -o errexit -o nounset -o pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
seconds=60
only=''
while (($# > 0)); do
  case "$1" in
    --seconds) seconds=${2:?--seconds needs a number} && shift 2 ;;
    --target) only=${2:?--target needs a name} && shift 2 ;;
    *)
      echo "fuzz: unknown argument '$1'" >&2
      exit 2
      ;;
  esac
done

tools/setup.sh test
./x build fuzz --target fuzz-targets

folder=build/fuzz/fuzz
targets=()
for corpus in "$folder"/*.corpus; do
  [[ -e $corpus ]] || continue
  name=$(basename "$corpus" .corpus)
  if [[ -z $only || $only == "$name" ]]; then targets+=("$name"); fi
done
if ((${#targets[@]} == 0)); then
  echo "fuzz: no fuzz target ${only:+named '$only' }in this checkout" >&2
  exit 2
fi

failed=()
for name in "${targets[@]}"; do
  echo "fuzz: $name for $seconds s"
  seeds=$(<"$folder/$name.corpus")
  if ! "$folder/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$folder/crash-$name-" "$folder/found/$name" ${seeds:+"$seeds"} \
    2>"$folder/$name.log"; then
    failed+=("$name")
    tail --lines 60 "$folder/$name.log"
  fi
  grep --extended-regexp 'stat::number_of_executed_units|stat::new_units' "$folder/$name.log" || true
done
if ((${#failed[@]} > 0)); then
  echo "fuzz: failed: ${failed[*]}" >&2
  exit 1
fi
echo "fuzz: ${#targets[@]} targets held for $seconds s each"
