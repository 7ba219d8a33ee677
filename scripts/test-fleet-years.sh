#!/usr/bin/env bash
# Lands FLEET_HOURS hours (three years unless set) into a real Ceph RADOS Gateway by four workers, one of which is killed all the
# time, and stops the servers that it has started.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/ceph.sh status > /dev/null 2>&1 || trap 'scripts/ceph.sh stop' EXIT
variables=$(scripts/ceph.sh start)
set -a
eval "$variables"
FLEET_HOURS=${FLEET_HOURS:-26280}
set +a
scripts/test-fleet.sh test/fleet/years.test.ts "$@"
