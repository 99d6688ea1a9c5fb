#!/usr/bin/env bash
# The crash test as `./x test` runs it: the checker's own tests, then 30 kills, 250 cuts and, where
# there are root and loop devices, 10 power cuts.
# Runs alone: it proves nothing when too little happens between two kills.
set -o errexit -o nounset -o pipefail

folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$folder/checker_test.py"
"$folder/run" --power 10
