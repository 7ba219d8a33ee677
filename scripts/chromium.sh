#!/usr/bin/env bash
# Prints the path of a Chromium: the one on the PATH, or else Debian's, which is unpacked into tools/chromium/ once, with the
# libraries that this machine lacks, and without installing any package. Needs apt-get and dpkg, but not root.
set -euo pipefail
cd "$(dirname "$0")/.."

for name in chromium chromium-browser google-chrome; do
  if command -v "$name"; then exit 0; fi
done
root=$PWD/tools/chromium
chromium=$root/chromium
if [[ -x $chromium ]]; then
  echo "$chromium"
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "chromium.sh: there is no apt-get here: put a Chromium on the PATH instead" >&2
  exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
mkdir -p "$folder"/state/lists/partial "$folder"/cache/archives/partial "$folder"/root

# Lists and cache of its own, because the system's belong to root and may be empty.
apt=(apt-get -q -o "Dir::State=$folder/state" -o "Dir::Cache=$folder/cache" -o APT::Sandbox::User=root)
apt+=(-o Dir::State::status=/var/lib/dpkg/status -o Debug::NoLocking=true)
echo "Unpacking chromium into $root" >&2
"${apt[@]}" update >&2
"${apt[@]}" install --yes --download-only --no-install-recommends chromium >&2
for package in "$folder"/cache/archives/*.deb; do
  dpkg-deb -x "$package" "$folder/root"
done

# Libraries and fonts are where the packages put them, below another root.
cat >"$folder/root/chromium" <<'WRAPPER'
#!/bin/sh
root=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH=$(find "$root"/usr/lib "$root"/lib -maxdepth 2 -type d -path '*-linux-gnu*' 2>/dev/null | paste -sd: -)
export LD_LIBRARY_PATH
if [ -e "$root/etc/fonts/fonts.conf" ]; then export FONTCONFIG_SYSROOT=$root; fi
exec "$root/usr/lib/chromium/chromium" "$@"
WRAPPER
chmod +x "$folder/root/chromium"
rm -rf "$root"
mkdir -p "$(dirname "$root")"
mv "$folder/root" "$root"
"$chromium" --version >&2
echo "$chromium"
