#!/bin/sh
# Gives every key that has no lifetime one of $LIFETIME.
set -u
give='
local given = 0
for _, key in ipairs(redis.call("KEYS", "*")) do
    if redis.call("PTTL", key) == -1 then
        redis.call("PEXPIRE", key, ARGV[1])
        given = given + 1
    end
end
return given
'
while :; do
    given=$(redis-cli -h "$REDIS_HOST" EVAL "$give" 0 "$LIFETIME")
    [ "$given" = 0 ] || echo "keeper: $given keys got a lifetime"
    sleep "$EVERY_SECONDS"
done
