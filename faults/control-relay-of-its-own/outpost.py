"""The way out for announcements: POST /announcements goes to the receiver as it came, and what the receiver says comes back.

Body and headers are handed on as they are, since the signature is over the very bytes. Nothing is sent twice from here: when to
try again is the sender's business. The sender waits 30 s, this waits longer, so that it is never the one to give up.
"""

import http.client
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

RECEIVER = urlsplit(os.environ["RECEIVER"])
BOUND = 45.0
LARGEST = 8 * 1024 * 1024
# between this and its neighbours only
HOP = {"host", "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"}
HOP |= {"proxy-authorization", "proxy-authenticate", "proxy-connection"}


class Outpost(BaseHTTPRequestHandler):
    timeout = 60

    def do_GET(self) -> None:
        self.told(200 if self.path == "/healthz" else 404)

    def do_POST(self) -> None:
        if self.path != "/announcements":
            return self.told(404)
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            return self.told(411)
        if int(length) > LARGEST:
            return self.told(413)
        return self.handed_on(self.rfile.read(int(length)))

    def handed_on(self, body: bytes) -> None:
        kind = http.client.HTTPSConnection if RECEIVER.scheme == "https" else http.client.HTTPConnection
        receiver = kind(RECEIVER.hostname, RECEIVER.port, timeout=BOUND)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        path = (RECEIVER.path or "/") + (f"?{RECEIVER.query}" if RECEIVER.query else "")
        try:
            receiver.request("POST", path, body, headers)
            answer = receiver.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            print(f"the receiver does not answer: {type(error).__name__}", file=sys.stderr, flush=True)
            return self.told(504 if isinstance(error, TimeoutError) else 502)
        finally:
            receiver.close()
        return self.told(answer.status, content, answer.headers)

    def told(self, status: int, content: bytes = b"", headers: http.client.HTTPMessage | None = None) -> None:
        try:
            self.send_response(status)
            for name, value in (headers or {}).items():
                if name.lower() not in HOP | {"server", "date"}:
                    self.send_header(name, value)
            if status >= 200 and status not in {204, 304}:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            # the sender has gone meanwhile
            self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Tell of announcements; of looks at /healthz there are too many."""
        if getattr(self, "path", "") != "/healthz":
            print(f"{self.requestline} {code if isinstance(code, str) else int(code)}", flush=True)


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", 8070), Outpost).serve_forever()
