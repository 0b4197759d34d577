#!/bin/bash
# "cron": every script of this folder named like its rhythm (the hour is 30 s here, a day five minutes)
export PGHOST=db PGUSER=$POSTGRES_USER PGPASSWORD=$POSTGRES_PASSWORD PGDATABASE=$POSTGRES_DB PGCONNECT_TIMEOUT=5
tick=0
while true; do
  bash /lab/cron/hourly.sh
  echo "cron: hourly.sh ended with $?"
  if [ $((tick % 10)) -eq 9 ]; then
    bash /lab/cron/daily.sh
    echo "cron: daily.sh ended with $?"
  fi
  tick=$((tick + 1))
  sleep 30
done
