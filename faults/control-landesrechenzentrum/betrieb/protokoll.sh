#!/bin/bash
# Gibt das Protokoll des Tages aus und geht um Mitternacht zu dem des naechsten ueber; die Datenbank selbst wird nicht beruehrt.
set -u
leser='' gezeigt=''
trap '[ -z "$leser" ] || kill "$leser"; exit 0' TERM INT
while true; do
  heute=/protokolle/datenbank/datenbank-$(LC_ALL=C date +%a).log
  if [ "$heute" != "$gezeigt" ]; then
    [ -z "$leser" ] || kill "$leser"
    tail --lines=+1 --follow=name --retry "$heute" &
    leser=$!
    gezeigt=$heute
  fi
  sleep 30 &
  wait $!
done
