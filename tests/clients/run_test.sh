#!/usr/bin/env bash
# Real clients of Redis against the server: ./x test --only clients. Builds the C client, installs
# the node clients into the build folder, then runs all of them (see run.py). The last line is
# "N passed, N failed".
set -o errexit -o nounset -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export DRAY_BUILD=${DRAY_BUILD:-$here/../../build/release}
export DRAY_BINARY=${DRAY_BINARY:-$DRAY_BUILD/dray}
built=$DRAY_BUILD/clients
mkdir --parents "$built/node"

# What cannot be built or installed is said here, and fails there: its client does not start.
gcc-12 -std=c11 -O1 -g -Wall -Wextra -Wconversion -Werror -pthread \
  "$here/c/life.c" -o "$built/hiredis_life" -lhiredis ||
  { rm --force "$built/hiredis_life" && echo "clients: c/life.c does not compile" >&2; }

# Once for each lock file. npm's cache is asked first; packages run no scripts of their own.
install_node_clients() {
  if cmp --silent "$here/node/package-lock.json" "$built/node/installed.json"; then return; fi
  rm --recursive --force "$built/node"
  mkdir --parents "$built/node"
  cp "$here/node/package.json" "$here/node/package-lock.json" "$built/node"
  local quiet=(--ignore-scripts --no-audit --no-fund --loglevel=error)
  (cd "$built/node" && npm ci --prefer-offline "${quiet[@]}") &&
    cp "$here/node/package-lock.json" "$built/node/installed.json"
}
install_node_clients </dev/null ||
  echo "clients: npm could not install the node clients (no network, and not in npm's cache?):" \
    "they fail below" >&2

exec /usr/bin/python3 "$here/run.py" "$@"
