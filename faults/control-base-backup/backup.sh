#!/bin/bash
# A base backup now and every $EVERY seconds, the newest $KEEP kept. The write-ahead log that it needs is fetched into it at the
# end: there is no second connection that streams, and no slot that could hold the log back. One that fails is tried again.
set -uo pipefail
umask 077
place=$HOME/backups
mkdir -p "$place"
while true; do
    rm -rf "$place/under-way"
    if pg_basebackup --no-password --pgdata="$place/under-way" --format=tar --gzip --wal-method=fetch --checkpoint=fast \
        && tar -xzOf "$place/under-way/base.tar.gz" PG_VERSION > /dev/null; then
        stamp=$(date -u +%Y%m%dT%H%M%SZ)
        mv "$place/under-way" "$place/base-$stamp"
        find "$place" -mindepth 1 -maxdepth 1 -name 'base-*' | sort -r | tail -n "+$((KEEP + 1))" | xargs -r rm -rf --
        echo "backed up at $stamp"
        sleep "$EVERY"
    else
        echo "the backup failed; the next try is in a minute" >&2
        sleep 60
    fi
done
