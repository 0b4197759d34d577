#!/bin/bash
# Say how many announcements wait, as the replica has it. Reads only; the replica would take no writes anyhow.
set -u
while true; do
    depth=$(redis-cli -h "$WATCHED" --raw LLEN hokusai:model_ready_queue 2>&1)
    if [[ $depth =~ ^[0-9]+$ ]]; then
        echo "depth $depth"
        touch /tmp/looked
    else
        echo "the replica does not say: $depth" >&2
    fi
    sleep 15
done
