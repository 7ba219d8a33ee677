#!/usr/bin/env bash
# The shell's best for a folder: curl, then unzip and igzip for as many parts at once as there are cores, each file flushed to disk.
#   folder.sh jsonl FOLDER       the parts' lines
#   folder.sh jsonl.gz FOLDER    the parts as they came, neither inflated nor counted
set -euo pipefail
export FORMAT=$1 FOLDER=$2

curl --silent --show-error --fail --user "$AMP_API_KEY:$AMP_SECRET_KEY" --output archive.zip "$EXPORT_URL"
mkdir -p "$FOLDER"
write_part() {
  local file=$FOLDER/${1##*/}
  if [[ $FORMAT == jsonl ]]; then
    file=${file%.gz}
    unzip -p archive.zip "$1" | igzip -d -c > "$file"
  else
    unzip -p archive.zip "$1" > "$file"
  fi
  sync "$file"
}
export -f write_part
unzip -Z1 archive.zip '*.gz' | xargs -P "$(nproc)" -I{} bash -euo pipefail -c 'write_part {}'
