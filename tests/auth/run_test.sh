#!/usr/bin/env bash
# Tokens, scopes, TLS, the audit log, errors and secrets against the real server: ./x test --only auth.
set -o errexit -o nounset -o pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
exec /usr/bin/python3 -W ignore::ResourceWarning -m unittest discover --pattern '*_test.py' "$@"
