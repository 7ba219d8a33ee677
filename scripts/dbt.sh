#!/usr/bin/env bash
# Installs dbt, and what its tests need besides, into tools/dbt/venv.
exec "$(dirname "$0")/venv.sh" dbt/requirements-ci.txt tools/dbt/venv
