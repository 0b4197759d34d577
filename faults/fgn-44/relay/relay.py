"""The relay in the DMZ: takes an announcement and hands it on to the customer's receiver as it came, headers and all."""

import os
import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FORWARD_TO = os.environ.get("FORWARD_TO", "")
HTTPS_ONLY = os.environ.get("HTTPS_ONLY", "no") == "yes"
PUBLIC_NAME = os.environ["PUBLIC_NAME"]
PASSED_ON = ("Content-Type", "X-Hokusai-Idempotency-Key", "X-Hokusai-Signature")


class Relay(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        if self.path == "/alive":
            self.answer(200, b"alive\n")
        else:
            self.answer(404, b"announcements are posted\n")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if HTTPS_ONLY and self.headers.get("X-Forwarded-Proto") != "https":
            self.answer(301, Location=f"https://{PUBLIC_NAME}{self.path}")
            return
        if not FORWARD_TO:
            self.answer(503, b"no receiver\n")
            return
        headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
        request = urllib.request.Request(FORWARD_TO, data=body, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=25) as received:
                self.answer(received.status, received.read())
        except urllib.error.HTTPError as error:
            self.answer(error.code, error.read())
        except OSError as error:
            self.answer(502, f"{type(error).__name__}\n".encode())

    def log_message(self, text: str, *values: object) -> None:
        sys.stdout.write(f"relay: {text % values}\n")


ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Relay).serve_forever()
