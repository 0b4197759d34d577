#!/bin/bash
# Dumps the registry's database, keeps the newest few, and restores the first one into a scratch database to prove that it can be.
set -uo pipefail
umask 022
drilled=no

drill() {
  local file=$1 scratch=radai_drill tables
  dropdb --if-exists "$scratch" && createdb "$scratch" || return 1
  pg_restore --no-owner --exit-on-error --dbname="$scratch" "$file" || return 1
  tables=$(psql -X -At -d "$scratch" -c "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'") || return 1
  dropdb "$scratch"
  echo "restore drill passed: $tables tables"
}

while :; do
  file=/backups/radai-$(date --utc +%Y%m%dT%H%M%SZ).dump
  if pg_dump --format=custom --file="$file.part" && mv "$file.part" "$file"; then
    sha256sum "$file" > "$file.sha256"
    echo "dumped $(basename "$file"), $(stat -c %s "$file") bytes"
    if [ "$drilled" = no ] && drill "$file"; then drilled=yes; fi
  else
    echo "dump failed, next attempt in ${BACKUP_INTERVAL}s" >&2
    rm -f "$file.part"
  fi
  ls -1t /backups/radai-*.dump | tail -n +$((BACKUP_KEEP + 1)) | while read -r old; do rm -f "$old" "$old.sha256"; done
  sleep "$BACKUP_INTERVAL"
done
