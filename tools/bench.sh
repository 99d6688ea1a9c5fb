#!/usr/bin/env bash
# Dray beside Redis and beanstalkd; bench/README.md says what is measured. Options: `--help`.
set -o errexit -o nounset -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec /usr/bin/python3 bench/run.py "$@"
