#!/bin/bash
# The database, and beside it, once it answers, its roles: whatever roles.sql says holds after every start.
set -euo pipefail
rm -f /tmp/roles-are-there
entrypoint postgres &
server=$!
trap 'kill -INT "$server"' INT TERM

until pg_isready --quiet --host=127.0.0.1 --username=dba --dbname=models; do
    kill -0 "$server" || exit 1
    sleep 0.3
done
PGPASSWORD=$POSTGRES_PASSWORD psql -h 127.0.0.1 -U dba -d models -X -q -v ON_ERROR_STOP=1 \
    -v password="$POSTGRES_PASSWORD" -f /opt/db/roles.sql
touch /tmp/roles-are-there

code=0
while kill -0 "$server" 2> /dev/null; do
    code=0
    wait "$server" || code=$?
done
exit "$code"
