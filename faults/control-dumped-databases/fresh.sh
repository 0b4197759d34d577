#!/bin/bash
# Is there a dump of each database that is not older than a day and an hour?
set -euo pipefail
for database in tracking catalogue; do
    found=$(find "$HOME/dumps" -name "$database-*.dump" -size +0 -mmin -1500 -print -quit)
    [ -n "$found" ] || { echo "no fresh dump of $database"; exit 1; }
done
