#!/usr/bin/env bash
# Runs the tests of the fleet against a real PostgreSQL, and stops it afterwards unless it was already running.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/postgres.sh status > /dev/null 2>&1 || trap 'scripts/postgres.sh stop' EXIT
variables=$(scripts/postgres.sh start)
set -a
eval "$variables"
set +a
npm run --silent build
npx vitest run --config vitest.fleet.config.ts "$@"
