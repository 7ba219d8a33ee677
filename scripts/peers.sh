#!/usr/bin/env bash
# Installs what the benchmark compares the program with, and Debian does not have, into tools/peers/venv. PyAirbyte is large and
# needs another DuckDB than dlt, so it is installed only when named, into tools/peers/airbyte.
#
#   scripts/peers.sh [airbyte]
set -euo pipefail
case ${1:-} in
  "") set -- bench/peers/requirements.txt tools/peers/venv ;;
  airbyte) set -- bench/peers/requirements-airbyte.txt tools/peers/airbyte ;;
  *) echo "usage: scripts/peers.sh [airbyte]" >&2; exit 2 ;;
esac
exec "$(dirname "$0")/venv.sh" "$@"
