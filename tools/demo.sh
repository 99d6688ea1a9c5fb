#!/usr/bin/env bash
# `./x demo`: real jobs on a real server, workers that crash, a kill -9 in the middle, and an account
# of every job at the end. Options: see tools/demo.py --help.
set -o errexit -o nounset -o pipefail
exec /usr/bin/python3 "$(dirname "${BASH_SOURCE[0]}")/demo.py" "$@"
