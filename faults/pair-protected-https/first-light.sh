# A new cluster gets its roles and databases before anybody can reach it; then, as on every other start, the server runs.
set -euo pipefail
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s' "$POSTGRES_PASSWORD") --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8
    pg_ctl --wait --silent --options="-c listen_addresses=''" start
    PGPASSWORD="$POSTGRES_PASSWORD" psql --no-psqlrc --quiet --username="$POSTGRES_USER" --dbname=postgres \
        --set=ON_ERROR_STOP=1 \
        --set=tracker_password="$TRACKER_PASSWORD" \
        --set=registry_password="$REGISTRY_PASSWORD" <<'SQL'
CREATE ROLE lantern_tracker LOGIN PASSWORD :'tracker_password';
CREATE ROLE lantern_registry LOGIN PASSWORD :'registry_password';
CREATE DATABASE lantern_tracking OWNER lantern_tracker;
CREATE DATABASE lantern_registry OWNER lantern_registry;
REVOKE ALL ON DATABASE lantern_tracking, lantern_registry FROM PUBLIC;
SQL
    pg_ctl --wait --silent --mode=fast stop
fi
exec "$@"
