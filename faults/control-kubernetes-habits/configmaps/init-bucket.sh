#!/bin/bash
# Init container of mlflow-0: as long as the store is not there the bucket cannot be made, so try again, at most forty times.
set -uo pipefail
for attempt in {1..40}; do
  python /opt/job/make_bucket.py && exit 0
  echo "attempt $attempt: not yet"
  sleep 2
done
exit 1
