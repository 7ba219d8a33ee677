#!/usr/bin/env bash
# The shell's best: curl, unzip, igzip on every core, then rclone with four transfers, or s5cmd.
#   shell.sh jsonl rclone      uploads the parts' lines
#   shell.sh jsonl.gz s5cmd    uploads the parts as they came, neither inflated nor counted
set -euo pipefail

curl --silent --show-error --fail --user "$AMP_API_KEY:$AMP_SECRET_KEY" --output archive.zip "$EXPORT_URL"
unzip -q archive.zip -d parts
if [[ $1 == jsonl ]]; then
  find parts -name '*.gz' -print0 | xargs -0 -n 1 -P "$(nproc)" igzip -d -q --rm
fi
cd parts/*/
if [[ $2 == s5cmd ]]; then
  "$S5CMD" --log error cp './*' "s3://$BUCKET/python-import/"
else
  rclone copy --transfers 4 --no-check-dest . "store:$BUCKET/python-import"
fi
