# readinessProbe of postgres-0
set -e
pg_isready --quiet --host=127.0.0.1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB"
test "$(PGPASSWORD=$POSTGRES_PASSWORD psql --no-psqlrc -h 127.0.0.1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -Atc 'select 1')" = 1
