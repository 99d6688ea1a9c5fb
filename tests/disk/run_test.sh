#!/usr/bin/env bash
# A disk that runs full, and one that lies about its room. Needs root and loop devices; elsewhere it
# says so and counts as skipped.
# Runs alone: how full the disk gets has to be its own doing.
set -o errexit -o nounset -o pipefail

here=$(dirname "${BASH_SOURCE[0]}")
"$here/full_disk.py"
"$here/full_namespace.py"
exec "$here/thin_device.py"
