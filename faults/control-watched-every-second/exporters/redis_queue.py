"""Figures of the queue, asked once a second; nothing is taken from it."""

import logging
import os
import time

import redis
from prometheus_client import Gauge, start_http_server

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
log = logging.getLogger("queue-exporter")

FIGURE = Gauge("glass_queue", "Figures of the queue", ["name"])
QUEUE = "hokusai:model_ready_queue"


def collect(server: redis.Redis) -> None:
    """Ask for everything once."""
    info = server.info()
    for name in ("connected_clients", "used_memory", "total_commands_processed", "rejected_connections"):
        FIGURE.labels(name).set(info[name])
    for name in (QUEUE, f"{QUEUE}:processing", f"{QUEUE}:dlq"):
        FIGURE.labels(name).set(server.llen(name))
    FIGURE.labels("slowlog").set(server.slowlog_len())
    try:
        server.execute_command("CLUSTER", "INFO")
    except redis.ResponseError:
        # the collector for clusters cannot be switched off
        log.exception("collector cluster failed")


start_http_server(9121)
log.info("listening on 9121")
server = redis.Redis(host=os.environ["QUEUE_ADDR"], password=os.environ["QUEUE_PASSWORD"], socket_timeout=3)
while True:
    try:
        collect(server)
    except redis.RedisError as error:
        log.error("the queue does not answer: %s", error)
    time.sleep(1)
