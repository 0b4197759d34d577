"""Tell Prometheus which parts of the registry answer, and how fast: GET /metrics asks them all; GET /healthz tells of itself."""

import json
import os
import socket
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

TARGETS: dict[str, str] = json.loads(os.environ["TARGETS"])
BOUND = 3.0


def asked(address: str) -> tuple[int, float]:
    """1 and the seconds it took where a target answers (an HTTP one with 200), else 0."""
    began, url = time.monotonic(), urlsplit(address)
    try:
        if url.scheme == "tcp":
            socket.create_connection((url.hostname, url.port), BOUND).close()
            up = 1
        else:
            with urllib.request.urlopen(address, timeout=BOUND) as answer:
                up = int(answer.status == 200)
    except OSError:
        up = 0
    return up, time.monotonic() - began


class Exporter(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/healthz":
            self.told(200, "ok\n")
        elif self.path == "/metrics":
            with ThreadPoolExecutor(len(TARGETS)) as threads:
                found = dict(zip(TARGETS, threads.map(asked, TARGETS.values()), strict=True))
            lines = ["# TYPE part_up gauge", *(f'part_up{{part="{part}"}} {up}' for part, (up, _) in found.items())]
            lines += ["# TYPE part_seconds gauge"]
            lines += [f'part_seconds{{part="{part}"}} {seconds:.4f}' for part, (_, seconds) in found.items()]
            self.told(200, "\n".join(lines) + "\n")
        else:
            self.told(404, "there are /metrics and /healthz\n")

    def told(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are not worth a line each."""


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Exporter).serve_forever()
