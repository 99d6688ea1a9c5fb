#!/usr/bin/env bash
# A disk that runs full. Needs root and loop devices; elsewhere it says so and counts as skipped.
set -o errexit -o nounset -o pipefail

exec "$(dirname "${BASH_SOURCE[0]}")/full_disk.py"
