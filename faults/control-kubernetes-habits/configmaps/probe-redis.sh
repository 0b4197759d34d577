# readinessProbe of redis-0
test "$(REDISCLI_AUTH=$REDIS_PASSWORD redis-cli -h 127.0.0.1 ping)" = PONG
