#!/usr/bin/env bash
# Runs the S3 suites against a real Ceph RADOS Gateway, and stops it afterwards unless it was already running.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/ceph.sh status > /dev/null 2>&1 || trap 'scripts/ceph.sh stop' EXIT
variables=$(scripts/ceph.sh start)
set -a
eval "$variables"
set +a
npm run --silent build
npx vitest run test/realS3 "$@"
