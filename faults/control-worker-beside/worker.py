"""Do the company's own jobs: each is moved from the list of those that wait to the list of those under way, done, and taken off.

The registry's queue is another's to empty: here it is only ever counted.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import redis

QUEUE = "hokusai:model_ready_queue"
WAITING, UNDER_WAY, DUE = "kestrel:jobs", "kestrel:jobs:under-way", "kestrel:jobs:survey-done"
ALIVE = Path("/tmp/worker-alive")
SURVEY_EVERY = 60  # seconds


def survey(store: redis.Redis) -> str:
    """Count what waits in the registry's queue, and leave it there."""
    return f"survey of the queue: {store.llen(QUEUE)} announcements wait"


JOBS = {"survey": survey}


def done(store: redis.Redis, text: str) -> str:
    """Do the job that a text describes; a line that says what came of it."""
    try:
        job = JOBS[json.loads(text)["job"]]
    except (ValueError, TypeError, KeyError):
        return f"no job: {text[:200]!r}"
    return f"job done: {job(store)}"


def main() -> None:
    store = redis.Redis.from_url(
        os.environ["JOBS_URL"], decode_responses=True, client_name="kestrel-worker", socket_timeout=20
    )
    # what a worker before this one had begun is done again
    while True:
        try:
            while store.lmove(UNDER_WAY, WAITING, "RIGHT", "RIGHT"):
                pass
            break
        except redis.RedisError as error:
            print(f"the store does not answer: {type(error).__name__}", file=sys.stderr, flush=True)
            time.sleep(2)
    while True:
        try:
            if store.set(DUE, "1", nx=True, ex=SURVEY_EVERY):
                store.lpush(WAITING, json.dumps({"job": "survey"}))
            text = store.blmove(WAITING, UNDER_WAY, 5, "RIGHT", "LEFT")
            ALIVE.touch()
            if text is None:
                continue
            print(done(store, text), flush=True)
            store.lrem(UNDER_WAY, 1, text)
        except redis.RedisError as error:
            print(f"the store does not answer: {type(error).__name__}", file=sys.stderr, flush=True)
            time.sleep(2)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main()
