"""How long the lists of the queue are, as a page."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import redis

client = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=3, decode_responses=True)
LISTS = ("hokusai:model_ready_queue", "hokusai:model_ready_queue:processing", "hokusai:model_ready_queue:dlq")


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            rows = "".join(f"<tr><td>{name}<td>{client.llen(name)}" for name in LISTS)
            status, body = 200, f"<!doctype html><title>queue</title><table>{rows}</table>"
        except redis.RedisError as error:
            status, body = 503, f"redis: {type(error).__name__}"
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("", 8081), Page).serve_forever()
