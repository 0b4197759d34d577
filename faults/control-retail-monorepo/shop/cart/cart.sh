#!/bin/bash
# Opens a cart every five seconds; a cart is given up after a minute.
set -u
ask() { redis-cli -h shared-redis -n 0 "$@"; }
trap 'exit 0' TERM INT
while true; do
  ask set "cart:$RANDOM$RANDOM" '{"items":[{"sku":"SKU-17","quantity":2}]}' ex 60 > /dev/null
  ask set cart:heartbeat "$(date +%s)" ex 30 > /dev/null
  echo "cart: $(ask dbsize) open carts in database 0"
  sleep 5 &
  wait $!
done
