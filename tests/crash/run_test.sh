#!/usr/bin/env bash
# The crash test as `./x test` runs it: the checker's own tests, then 30 kills and 250 cuts.
set -o errexit -o nounset -o pipefail

folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$folder/checker_test.py"
"$folder/run"
