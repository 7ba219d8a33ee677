#!/usr/bin/env bash
#
# A real Ceph RADOS Gateway on 127.0.0.1, for tests only: one monitor, one OSD that keeps its
# objects in memory, and one gateway, from Debian sid packages in a chroot. Needs root on Debian or
# Ubuntu, and 0.8 GB of disk. Leaves nothing mounted; outside CEPH_TEST_DIR it installs only
# debootstrap. Objects and keys are lost on stop. To remove everything, delete CEPH_TEST_DIR.
#
#   scripts/ceph.sh start    install and start if needed, print the variables
#   scripts/ceph.sh stop     stop the daemons
#   scripts/ceph.sh collect  free the memory of removed objects at once
#   scripts/ceph.sh status   exit 0 if it is running, 3 if it is not
#
# start prints these three lines on stdout, and everything else on stderr:
#
#   S3_TEST_ENDPOINT=http://127.0.0.1:PORT
#   S3_TEST_ACCESS_KEY=...
#   S3_TEST_SECRET_KEY=...
#
# CEPH_TEST_DIR      where the chroot is kept (default /var/tmp/amplitude-lake-ceph)
# CEPH_TEST_PORT     the preferred port (default 7480); if it is taken, a free one is used
# CEPH_TEST_MIRROR   the Debian mirror (default: the first one in apt's sources with sid)
#
# Use region us-east-1 and path-style requests. Two KMS keys exist, for SSE-KMS:
# testkey-1 and arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab.

set -euo pipefail

dir=$(realpath -ms -- "${CEPH_TEST_DIR:-/var/tmp/amplitude-lake-ceph}")
readonly dir
readonly chroot=$dir/sid
readonly stamp=$dir/installed
readonly state=$dir/state
readonly log=$dir/ceph.log
readonly wanted_port=${CEPH_TEST_PORT:-7480}
readonly packages=(radosgw ceph-mon ceph-osd ceph-common)
readonly start_seconds=120

# stdout is reserved for the variables.
exec 3>&1 1>&2

say() {
  printf 'ceph.sh: %s\n' "$*"
}

fail() {
  say "$*"
  exit 1
}

# Replaces the shell with a command in its own mount and process namespaces. However the command
# ends, the kernel then kills whatever it started and drops its mounts. Call it in a subshell: the
# subshell's process ID is the one to kill.
contained() {
  local proc=$1
  shift
  # shellcheck disable=SC2016
  exec setsid unshare --mount --pid --fork --kill-child \
    bash -c 'mount -t proc proc "$0" && exec "$@"' "$proc" "$@"
}

in_chroot() {
  contained "$chroot/proc" env -i \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    ${no_proxy:+no_proxy="$no_proxy"} chroot "$chroot" "$@"
}

# Runs a command in the background and waits for it, because bash runs traps during `wait` but not
# during a command. The command inherits the lock: if this script is killed midway, the next one
# waits until the command has ended.
interruptible() {
  "$@" </dev/null 3>&- &
  job=$!
  wait "$job"
  job=
}

chroot_processes() {
  local process
  for process in /proc/[0-9]*; do
    if [[ $process/root -ef $chroot ]]; then
      echo "${process#/proc/}"
    fi
  done
}

# With SIGKILL, because an in-memory cluster has nothing to save.
end_processes() {
  local deadline=$((SECONDS + 20)) processes
  while processes=$(chroot_processes) && [[ -n $processes ]]; do
    ((SECONDS < deadline)) || fail "these processes do not end: ${processes//$'\n'/ }"
    # shellcheck disable=SC2086
    kill -KILL $processes 2>/dev/null || true
    sleep 0.1
  done
}

apt_setting() {
  local value=
  eval "$(apt-config shell value "$1")"
  echo "$value"
}

use_apt_proxy() {
  local proxy detect
  proxy=$(apt_setting Acquire::http::Proxy)
  detect=$(apt_setting Acquire::http::Proxy-Auto-Detect)
  if [[ -z $proxy && -x $detect ]]; then
    proxy=$("$detect")
  fi
  if [[ $proxy == DIRECT ]]; then
    unset http_proxy
  elif [[ -n $proxy ]]; then
    export http_proxy=$proxy
  fi
  proxy=$(apt_setting Acquire::https::Proxy)
  if [[ $proxy == DIRECT ]]; then
    unset https_proxy
  elif [[ -n $proxy ]]; then
    export https_proxy=$proxy
  fi
}

# Every address in apt's sources as apt itself reads them: both formats, without disabled ones.
apt_addresses() {
  local address
  while read -r address; do
    if [[ $address == mirror+file:* ]]; then
      awk '/^[a-z]+:/ { print $1 }' "${address#mirror+file:}"
    else
      echo "$address"
    fi
  done < <(apt-get --print-uris update | sed -En "s|^'(.*)/dists/.*/InRelease' .*|\\1|p" | uniq)
}

# The sources also list debian-security, third-party archives and all of Ubuntu's. A Debian mirror is
# one that has sid.
debian_mirror() {
  local address release
  if [[ -n ${CEPH_TEST_MIRROR:-} ]]; then
    echo "$CEPH_TEST_MIRROR"
    return
  fi
  while read -r address; do
    [[ $address == http?(s)://* ]] || continue
    address=${address%/}
    release=$(wget -q -O - --timeout=10 --tries=2 "$address/dists/sid/InRelease") || continue
    if grep -q '^Origin: Debian$' <<<"$release"; then
      echo "$address"
      return
    fi
  done < <(apt_addresses)
  echo http://deb.debian.org/debian
}

install_debootstrap() {
  local missing=()
  command -v debootstrap >/dev/null || missing+=(debootstrap)
  [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || missing+=(debian-archive-keyring)
  ((${#missing[@]})) || return 0
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y "${missing[@]}" || { apt-get update && apt-get install -y "${missing[@]}"; }
}

install_ceph() {
  local mirror setting apt=(apt-get -q -o Acquire::Languages=none)
  if [[ -e $stamp && $(<"$stamp") == "${packages[*]}" ]]; then
    return
  fi
  command -v apt-get >/dev/null || fail "apt-get is needed, which this machine does not have"
  end_processes
  rm -rf --one-file-system -- "$stamp" "$chroot"
  use_apt_proxy
  install_debootstrap
  mirror=$(debian_mirror)
  say "installing ${packages[*]} from $mirror into $chroot"

  interruptible contained /proc debootstrap --variant=minbase sid "$chroot" "$mirror"
  printf '#!/bin/sh\nexit 101\n' >"$chroot/usr/sbin/policy-rc.d"
  chmod +x "$chroot/usr/sbin/policy-rc.d"
  printf '%s\n' force-unsafe-io 'path-exclude=/usr/share/doc/*' 'path-exclude=/usr/share/man/*' \
    'path-exclude=/usr/share/locale/*' >"$chroot/etc/dpkg/dpkg.cfg.d/test-only"
  cp -L /etc/resolv.conf /etc/hosts "$chroot/etc/"
  # Trust the mirrors that the machine trusts: one may be frozen, or use a certificate that only this
  # machine knows.
  for setting in Acquire::Check-Valid-Until Acquire::Check-Date; do
    if [[ -n $(apt_setting $setting) ]]; then
      apt+=(-o "$setting=$(apt_setting $setting)")
    fi
  done
  if [[ -e /etc/ssl/certs/ca-certificates.crt ]]; then
    cp -L /etc/ssl/certs/ca-certificates.crt "$chroot/etc/apt/"
    apt+=(-o Acquire::https::CaInfo=/etc/apt/ca-certificates.crt)
  fi
  interruptible in_chroot "${apt[@]}" update
  interruptible in_chroot "${apt[@]}" install -y --no-install-recommends "${packages[@]}"
  rm -rf -- "$chroot"/var/cache/apt/*.bin "$chroot"/var/cache/apt/archives/*.deb \
    "$chroot"/var/lib/apt/lists/*
  echo "${packages[*]}" >"$stamp"
}

listens() {
  (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Stays below the port range that the kernel uses for outgoing connections.
free_port() {
  local port=$1
  while listens "$port"; do
    port=$((20000 + RANDOM % 12000))
  done
  echo "$port"
}

# Only the gateway sends this header, so another server on the port is not mistaken for it.
answers() {
  local reply
  # shellcheck disable=SC2016
  reply=$(timeout 5 bash -c '
    exec 5<>"/dev/tcp/$0" && printf "GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n" >&5 && cat <&5
  ' "$1" 2>/dev/null | tr -d '\0') || return 1
  [[ $reply == HTTP/1.?" 200"*[Xx]-[Aa]mz-[Rr]equest-[Ii]d:* ]]
}

runs() {
  local endpoint
  [[ -s $state && -n $(chroot_processes) ]] || return 1
  endpoint=$(sed -n 's|^S3_TEST_ENDPOINT=http://||p' "$state")
  answers "${endpoint/://}"
}

random_text() {
  local text
  text=$(head -c 4096 /dev/urandom | LC_ALL=C tr -dc "$1")
  echo "${text:0:$2}"
}

# The three intervals are shortened because a start takes up to 14 seconds with the defaults.
configuration() {
  local port=$1 monitor_port=$2 classes kms_key
  local kms_arn=arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
  # The path built into Debian's package is relative, and leads nowhere.
  classes=$(echo "$chroot"/usr/lib/*/rados-classes)
  kms_key=$(head -c 32 /dev/urandom | base64)
  cat <<END
[global]
fsid = $(</proc/sys/kernel/random/uuid)
mon_host = v1:127.0.0.1:$monitor_port
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
run_dir = /srv/ceph
admin_socket =
log_file =
log_to_stderr = true
debug_mon = 0
debug_rocksdb = 0
mon_data = /srv/ceph/mon
mon_data_avail_crit = 0
mon_allow_pool_size_one = true
mon_cluster_log_to_file = false
mon_warn_on_pool_no_redundancy = false
mon_tick_interval = 1
objecter_tick_interval = 0.5
paxos_propose_interval = 0.05
osd_data = /srv/ceph/osd
osd_objectstore = memstore
osd_class_dir = ${classes#"$chroot"}
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pg_autoscale_mode = off
memstore_device_bytes = 4294967296
rgw_gc_obj_min_wait = 5
rgw_gc_processor_period = 5
rgw_frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
rgw_crypt_require_ssl = false
rgw_crypt_s3_kms_backend = testing
rgw_crypt_s3_kms_encryption_keys = testkey-1=$kms_key $kms_arn=$kms_key
END
}

# Runs inside the chroot as the first process of its namespace. When it ends, so do the daemons; when
# any daemon ends, so does it.
cluster() {
  set -euo pipefail
  local access_key=$1 secret_key=$2 fsid monitor osd
  # A process that fetches more configuration from the monitor forgets the cluster's ID. It may then
  # send its first command without the ID, which the monitor refuses: one start in three fails.
  export CEPH_CONF=/srv/ceph/ceph.conf CEPH_ARGS=--no-mon-config
  cd /srv/ceph
  mkdir mon osd
  fsid=$(sed -n 's/^fsid = //p' ceph.conf)
  monitor=$(sed -n 's/^mon_host = //p' ceph.conf)
  monmaptool --create --addv a "[$monitor]" --fsid "$fsid" monmap
  ceph-mon -i a --mkfs --monmap monmap
  ceph-mon -i a -f &
  osd=$(</proc/sys/kernel/random/uuid)
  ceph --connect-timeout 30 osd new "$osd"
  ceph-osd -i 0 --mkfs --osd-uuid "$osd"
  ceph-osd -i 0 -f &
  radosgw-admin user create --uid=test --display-name=test \
    --access-key="$access_key" --secret-key="$secret_key" >/dev/null
  radosgw -n client.rgw -f &
  wait -n || true
  echo "a daemon ended, and the others with it"
  exit 1
}

start_cluster() {
  local port monitor_port access_key secret_key deadline=$((SECONDS + start_seconds))
  end_processes
  rm -rf --one-file-system -- "$state" "$chroot/srv/ceph"
  mkdir "$chroot/srv/ceph"
  port=$(free_port "$wanted_port")
  monitor_port=$(free_port 6789)
  access_key=$(random_text A-Z0-9 20)
  secret_key=$(random_text A-Za-z0-9 40)
  configuration "$port" "$monitor_port" >"$chroot/srv/ceph/ceph.conf"
  say "starting $(in_chroot radosgw --version) on port $port"

  # The daemons must not inherit this script's streams, or whoever reads those would wait forever.
  in_chroot bash -c "$(declare -f cluster); cluster \"\$@\"" cluster \
    "$access_key" "$secret_key" >"$log" 2>&1 </dev/null 3>&- 4>&- &
  job=$!
  until answers "127.0.0.1/$port"; do
    if ! kill -0 "$job" 2>/dev/null || ((SECONDS > deadline)); then
      say "the gateway does not answer; the end of $log:"
      tail -n 40 "$log"
      exit 1
    fi
    sleep 0.2
  done
  (
    umask 077
    cat >"$state" <<END
S3_TEST_ENDPOINT=http://127.0.0.1:$port
S3_TEST_ACCESS_KEY=$access_key
S3_TEST_SECRET_KEY=$secret_key
END
  )
  job=
}

# Takes down a cluster that has not been seen to work.
end_job() {
  local code=$?
  trap - EXIT INT TERM HUP
  if [[ -n $job ]]; then
    kill -KILL "$job" 2>/dev/null || true
    wait "$job" 2>/dev/null || true
    end_processes
  fi
  exit "$code"
}

job=
case ${1:-} in
  start | stop | status | collect) ;;
  *)
    say "usage: scripts/ceph.sh start | stop | status | collect"
    exit 64
    ;;
esac
if ((EUID != 0)); then
  say "root is needed to make a chroot: run this as root or with sudo"
  exit 2
fi
if [[ ! $wanted_port =~ ^[1-9][0-9]{0,4}$ ]] || ((wanted_port > 65535)); then
  fail "CEPH_TEST_PORT must be a port number: it is \"$wanted_port\""
fi

case $1 in
  start | stop)
    (umask 077 && mkdir -p -- "$dir")
    # The default is in a world-writable folder, where anyone could have created it first.
    [[ -O $dir && ! -L $dir ]] || fail "$dir belongs to another user, or is a link"
    exec 4>"$dir/lock"
    if ! flock -n 4; then
      say "waiting for another run of this script"
      flock -w 900 4 || fail "another run of this script still holds $dir/lock"
    fi
    ;;&
  start)
    trap end_job EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    install_ceph
    runs || start_cluster
    cat "$state" >&3
    ;;
  stop)
    end_processes
    rm -f -- "$state"
    ;;
  collect)
    runs || fail "does not run"
    in_chroot env CEPH_CONF=/srv/ceph/ceph.conf CEPH_ARGS=--no-mon-config \
      radosgw-admin gc process --include-all
    ;;
  status)
    if runs; then
      say "running at $(sed -n 's/^S3_TEST_ENDPOINT=//p' "$state")"
    else
      say "not running"
      exit 3
    fi
    ;;
esac
