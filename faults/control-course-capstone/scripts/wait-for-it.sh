#!/usr/bin/env bash
# wait-for-it.sh host:port [host:port ...] -- command args
# Waits until every address takes TCP connections, then becomes the command. Gives up after WAIT_TIMEOUT seconds (120).
set -euo pipefail

timeout=${WAIT_TIMEOUT:-120}
while [[ $# -gt 0 && $1 != "--" ]]; do
  host=${1%%:*} port=${1##*:}
  until (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null; do
    if (( SECONDS >= timeout )); then
      echo "wait-for-it: timeout after ${timeout}s waiting for $1" >&2
      exit 1
    fi
    sleep 1
  done
  echo "wait-for-it: $1 is available after ${SECONDS}s"
  shift
done
shift
exec "$@"
