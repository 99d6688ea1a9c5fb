#!/usr/bin/env bash
# Namespaces of the real server: what is apart, what survives, who may: ./x test --only namespaces.
set -o errexit -o nounset -o pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
exec /usr/bin/python3 -W ignore::ResourceWarning -m unittest discover --pattern '*_test.py' "$@"
