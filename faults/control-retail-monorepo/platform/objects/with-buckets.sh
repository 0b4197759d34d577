#!/bin/sh
# with-buckets.sh BUCKET...: the store, with these buckets from its first moment on.
set -eu
for bucket in "$@"; do
  mkdir -p "/data/$bucket"
done
exec minio server /data
