#!/usr/bin/env bash
# The shell's best: curl, unzip, igzip on every core, rclone with four transfers.
#   shell.sh jsonl      uploads the parts' lines
#   shell.sh jsonl.gz   uploads the parts as they came, looked at by nobody
set -euo pipefail

curl --silent --show-error --fail --user "$AMP_API_KEY:$AMP_SECRET_KEY" --output archive.zip "$EXPORT_URL"
unzip -q archive.zip -d parts
if [[ $1 == jsonl ]]; then
  find parts -name '*.gz' -print0 | xargs -0 -n 1 -P "$(nproc)" igzip -d -q --rm
fi
cd parts/*/
rclone copy --transfers 4 --no-check-dest . "store:$BUCKET/python-import"
