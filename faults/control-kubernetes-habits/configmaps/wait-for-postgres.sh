#!/bin/bash
# Init container: until the database answers, at most two minutes.
set -uo pipefail
for attempt in {1..60}; do
  if pg_isready --quiet --timeout=2; then
    echo "postgres answers"
    exit 0
  fi
  echo "attempt $attempt: postgres does not answer yet"
  sleep 2
done
exit 1
