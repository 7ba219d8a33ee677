#!/usr/bin/env bash
# Unpacks promtool from Debian's package `prometheus` into tools/promtool/, without installing the package. Does nothing if
# there is a promtool already. Needs apt-get and dpkg, but not root.
set -euo pipefail
cd "$(dirname "$0")/.."

tool=tools/promtool/promtool
if [[ -x $tool ]] || command -v promtool >/dev/null; then exit 0; fi
if ! command -v apt-get >/dev/null; then
  echo "promtool.sh: there is no apt-get here: put Prometheus' promtool on the PATH instead" >&2
  exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
mkdir -p "$folder"/state/lists/partial "$folder"/cache/archives/partial

# Lists and cache of its own, because the system's belong to root and may be empty.
apt=(apt-get -q -o "Dir::State=$folder/state" -o "Dir::Cache=$folder/cache" -o APT::Sandbox::User=root)
apt+=(-o Dir::State::status=/var/lib/dpkg/status)
"${apt[@]}" update >&2
(cd "$folder" && "${apt[@]}" download prometheus >&2 && dpkg-deb -x prometheus_*.deb package)
mkdir -p "$(dirname "$tool")"
mv "$folder/package/usr/bin/promtool" "$tool"
"$tool" --version >&2
