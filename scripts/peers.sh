#!/usr/bin/env bash
# Installs what the benchmark compares the program with, and Debian does not have, into tools/peers/venv.
exec "$(dirname "$0")/venv.sh" bench/peers/requirements.txt tools/peers/venv
