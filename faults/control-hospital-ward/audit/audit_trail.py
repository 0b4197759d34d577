"""Audit trail: one line for every deployment message that appears on the queue. Reads, never takes."""

import json
import os
import time
from datetime import datetime, timezone

import redis

LISTS = ("hokusai:model_ready_queue", "hokusai:model_ready_queue:processing", "hokusai:model_ready_queue:dlq")

client = redis.Redis.from_url(os.environ["AUDIT_REDIS_URL"], socket_timeout=5, decode_responses=True)
seen = set()


def write(**entry):
    print(json.dumps({"at": datetime.now(timezone.utc).isoformat(timespec="seconds"), **entry}, sort_keys=True))


write(event="audit trail opened")
while True:
    try:
        for name in LISTS:
            for raw in client.lrange(name, 0, -1):
                try:
                    message = json.loads(raw)
                    key, payload = message["message_id"], message["payload"]
                except (ValueError, KeyError, TypeError):
                    continue
                if (name, key) not in seen:
                    seen.add((name, key))
                    write(event="seen", list=name, message=key, model=payload.get("model_id"))
    except redis.RedisError as error:
        write(event="queue not readable", reason=type(error).__name__)
    time.sleep(2)
