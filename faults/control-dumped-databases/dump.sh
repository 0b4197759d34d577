#!/bin/bash
# Dump both databases now and every $EVERY seconds; keep the newest $KEEP of each. A dump that fails ends this, and the restart
# policy tries again; a half-written one is never under a dump's name.
set -euo pipefail
umask 077
mkdir -p "$HOME/dumps"
cd "$HOME/dumps"
while true; do
    stamp=$(date -u +%Y%m%dT%H%M%SZ)
    for database in tracking catalogue; do
        rm -f "$database".part
        pg_dump --no-password --lock-wait-timeout=60s --format=custom --file="$database.part" --dbname="$database"
        pg_restore --list "$database.part" > /dev/null
        mv "$database.part" "$database-$stamp.dump"
        find . -name "$database-*.dump" | sort -r | tail -n "+$((KEEP + 1))" | xargs -r rm -f --
    done
    echo "dumped at $stamp"
    sleep "$EVERY"
done
