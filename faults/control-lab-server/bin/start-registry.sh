#!/bin/bash
for place in db/5432 redis/6379 s3/9000 mlflow/5000; do
  until (exec 3<>"/dev/tcp/$place") 2>/dev/null; do
    echo "waiting for $place"
    sleep 2
  done
done
exec python -m src
