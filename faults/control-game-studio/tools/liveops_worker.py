"""Takes improved models off the queue one at a time: to `processing`, roll out, acknowledge. What cannot be read goes to the dead letters."""

import json
import os
import time

import redis

QUEUE = "hokusai:model_ready_queue"
PROCESSING, DEAD = f"{QUEUE}:processing", f"{QUEUE}:dlq"
ROLLOUT = float(os.environ.get("ROLLOUT_SECONDS", "20"))

client = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=15, decode_responses=True)


def roll_out(payload):
    print(f"worker: rolling out {payload['model_id']} ({payload['metric_name']} {payload['current_value']})")
    time.sleep(ROLLOUT)


print("worker: waiting for models")
while True:
    try:
        raw = client.blmove(QUEUE, PROCESSING, 5, "RIGHT", "LEFT")
        if raw is None:
            continue
        try:
            roll_out(json.loads(raw)["payload"])
        except (ValueError, KeyError, TypeError) as error:
            print(f"worker: cannot read a message, to the dead letters with it: {error!r}")
            client.lpush(DEAD, raw)
        client.lrem(PROCESSING, 1, raw)
    except redis.RedisError as error:
        print(f"worker: redis is away ({type(error).__name__}), trying again")
        time.sleep(2)
