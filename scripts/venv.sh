#!/usr/bin/env bash
# Makes a Python environment of the packages that a file pins by hash. Does nothing if these are installed already. PYTHON is the
# Python to use, 3.10 or newer.
#
#   scripts/venv.sh PINS FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."

pins=$1
venv=$2
if cmp --silent "$pins" "$venv/installed.txt"; then exit 0; fi
rm -rf "$venv"
"${PYTHON:-python3}" -m venv "$venv"
echo "Installing $pins into $venv" >&2
# The pins name every package. Resolving them once more, pip misses those that are pinned with an extra.
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r "$pins"
"$venv/bin/pip" check >&2
cp "$pins" "$venv/installed.txt"
