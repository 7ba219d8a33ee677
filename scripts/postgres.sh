#!/usr/bin/env bash
#
# A real PostgreSQL on 127.0.0.1, for tests and trials only: Debian's server, with its data in a temporary folder and no
# password for anyone on this machine. As root it installs the package if there is none, and runs the server as postgres.
#
#   scripts/postgres.sh start     start if needed, print the variable
#   scripts/postgres.sh stop      stop it and remove its data
#   scripts/postgres.sh restart   as after a crash: every session is gone, every row is there
#   scripts/postgres.sh status    exit 0 if it is running, 3 if it is not
#
# start prints this line on stdout, and everything else on stderr:
#
#   AMPLITUDE_LAKE_DATABASE_URL=postgres://postgres@127.0.0.1:PORT/postgres
#
# POSTGRES_TEST_DIR    where its data is kept (default /var/tmp/amplitude-lake-postgres)
# POSTGRES_TEST_PORT   its port (default 54329)

set -euo pipefail

dir=$(realpath -ms -- "${POSTGRES_TEST_DIR:-/var/tmp/amplitude-lake-postgres}")
port=${POSTGRES_TEST_PORT:-54329}
readonly dir port

# stdout is reserved for the variable.
exec 3>&1 1>&2

fail() {
  echo "postgres.sh: $*"
  exit 1
}

# The newest of Debian's, or whatever is in PATH.
find_binaries() {
  local found
  found=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
  if [[ -n $found ]]; then echo "$found"; else dirname "$(command -v postgres 2>/dev/null || echo)"; fi
}

install_server() {
  bin=$(find_binaries)
  [[ -x $bin/initdb ]] && return
  ((EUID == 0)) || fail "install PostgreSQL first: sudo apt-get install postgresql"
  command -v apt-get >/dev/null || fail "install PostgreSQL first: this machine has no apt-get"
  export DEBIAN_FRONTEND=noninteractive
  # Otherwise the package starts a server of its own.
  mkdir -p /etc/postgresql-common
  [[ -e /etc/postgresql-common/createcluster.conf ]] ||
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  apt-get install -y --no-install-recommends postgresql ||
    { apt-get update && apt-get install -y --no-install-recommends postgresql; }
  bin=$(find_binaries)
  [[ -x $bin/initdb ]] || fail "the package postgresql has brought no initdb"
}

# PostgreSQL refuses to run as root.
as_owner() {
  if ((EUID == 0)); then runuser -u postgres -- "$@"; else "$@"; fi
}

runs() {
  [[ -n ${bin:-} && -s $dir/data/postmaster.pid ]] &&
    as_owner "$bin/pg_isready" --quiet --host=127.0.0.1 --port="$port"
}

start_server() {
  if [[ ! -s $dir/data/PG_VERSION ]]; then
    rm -rf -- "${dir:?}/data"
    mkdir -p -- "$dir"
    if ((EUID == 0)); then chown postgres "$dir"; fi
    as_owner "$bin/initdb" --pgdata="$dir/data" --username=postgres --auth=trust --encoding=UTF8 --no-locale --no-sync >"$dir/initdb.log" ||
      fail "initdb failed: see $dir/initdb.log"
  fi
  as_owner "$bin/pg_ctl" --pgdata="$dir/data" --log="$dir/data/server.log" --wait --timeout=60 --silent \
    --options="-h 127.0.0.1 -p $port -c unix_socket_directories='' -c fsync=off" start 3>&- ||
    fail "it does not start: see $dir/data/server.log"
}

bin=$(find_binaries)
case ${1:-} in
  start)
    install_server
    runs || start_server
    echo "AMPLITUDE_LAKE_DATABASE_URL=postgres://postgres@127.0.0.1:$port/postgres" >&3
    ;;
  stop)
    if runs; then as_owner "$bin/pg_ctl" --pgdata="$dir/data" --mode=immediate --silent stop; fi
    rm -rf -- "${dir:?}"
    ;;
  restart)
    runs || fail "does not run"
    as_owner "$bin/pg_ctl" --pgdata="$dir/data" --mode=immediate --silent stop
    start_server
    ;;
  status)
    runs || exit 3
    ;;
  *)
    echo "usage: scripts/postgres.sh start | stop | restart | status"
    exit 64
    ;;
esac
