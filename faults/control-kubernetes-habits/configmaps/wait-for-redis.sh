#!/bin/sh
# Init container: until the queue answers, at most two minutes.
attempt=0
while [ "$attempt" -lt 60 ]; do
  if [ "$(REDISCLI_AUTH=$REDIS_PASSWORD redis-cli -h redis.ml-platform.svc.cluster.local ping 2>/dev/null)" = PONG ]; then
    echo "redis answers"
    exit 0
  fi
  attempt=$((attempt + 1))
  echo "attempt $attempt: redis does not answer yet"
  sleep 2
done
exit 1
