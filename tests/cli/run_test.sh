#!/usr/bin/env bash
# The command line of the real binary, against the real server and against a scripted one.
set -o errexit -o nounset -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
/usr/bin/python3 "$here/command_line_test.py" "$@"
/usr/bin/python3 "$here/exec_test.py" "$@"
