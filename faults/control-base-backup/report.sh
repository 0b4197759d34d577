#!/bin/bash
# Time, number of models, number of versions: a line of CSV a minute, from a role that may only read.
set -u
while true; do
    if psql --no-psqlrc --no-password --csv --tuples-only --set=ON_ERROR_STOP=1 --command="
        SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS\"UTC\"'),
               (SELECT count(*) FROM registered_models),
               (SELECT count(*) FROM model_versions)"; then
        touch /tmp/reported
    fi
    sleep 60
done
