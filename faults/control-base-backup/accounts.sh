#!/bin/bash
# The two roles beside the programs' own: one may take backups, one may read. Their passwords are drawn once and kept as
# password files on the volume of this home; to run this again changes nothing.
set -euo pipefail
umask 077
for role in backup reporting; do
    file=$HOME/$role.pgpass
    if [ ! -s "$file" ]; then
        drawn=$(head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
        printf '*:*:*:%s:%s\n' "$role" "$drawn" > "$file.new"
        mv "$file.new" "$file"
    fi
done
BACKUP_PASSWORD=$(cut -d: -f5 "$HOME/backup.pgpass")
REPORTING_PASSWORD=$(cut -d: -f5 "$HOME/reporting.pgpass")
export BACKUP_PASSWORD REPORTING_PASSWORD
psql --no-psqlrc --quiet --no-password --set=ON_ERROR_STOP=1 --file=/usr/local/lib/linden/accounts.sql
echo "accounts are in place"
