#!/usr/bin/env bash
# What nothing that does the same can be faster than.
#   raw.sh download     the archive to disk
#   raw.sh unpack FILE  an archive's lines, to nowhere
#   raw.sh put FOLDER   a folder's files to the store as they are, four at once, unhashed
set -euo pipefail

case $1 in
  download)
    curl --silent --show-error --fail --user "$AMP_API_KEY:$AMP_SECRET_KEY" --output archive.zip "$EXPORT_URL"
    ;;
  unpack)
    unzip -p "$2" '*.gz' | igzip -d -c > /dev/null
    ;;
  put)
    arguments=()
    for file in "$2"/*; do
      name=${file##*/}
      arguments+=(--upload-file "$file" "$AWS_ENDPOINT_URL_S3/$BUCKET/python-import/${name//#/%23}")
    done
    curl --silent --show-error --fail --parallel --parallel-max 4 --aws-sigv4 aws:amz:us-east-1:s3 \
      --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
      --header 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "${arguments[@]}"
    ;;
esac
