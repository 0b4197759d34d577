# A new cluster gets its roles and databases before anybody can reach it; then, as on every other start, the server runs.
set -euo pipefail
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s' "$POSTGRES_PASSWORD") --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8
    echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
    pg_ctl --wait --silent --options="-c listen_addresses=''" start
    PGPASSWORD="$POSTGRES_PASSWORD" psql --no-psqlrc --quiet --username="$POSTGRES_USER" --dbname=postgres --file=/etc/warehouse/duties.sql
    pg_ctl --wait --silent --mode=fast stop
fi
exec "$@"
