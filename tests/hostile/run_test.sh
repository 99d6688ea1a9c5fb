#!/usr/bin/env bash
# Hostile and slow clients against the server: ./x test --only hostile. What each is, and what has to
# become of it, is in run.py. The last line is "N passed, N failed".
# Runs alone: it measures how long an honest client waits.
set -o errexit -o nounset -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$here/run.py"
