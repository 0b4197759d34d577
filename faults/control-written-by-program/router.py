"""The mesh's router: each path prefix leads to a service, which never sees the prefix."""

import http.client
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROUTES = dict(pair.split("=", 1) for pair in os.environ["ROUTES"].split())
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
PATIENCE = 120


class Router(BaseHTTPRequestHandler):
    """Answers one connection, request after request."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def route(self):
        """Send the request on, or say that no route takes it."""
        path, mark, query = self.path.partition("?")
        if path == "/router/alive":
            return self.say(200, [("Content-Type", "text/plain")], b"alive\n")
        for prefix, address in ROUTES.items():
            if path == prefix or path.startswith(prefix + "/"):
                return self.send_on(address, (path.removeprefix(prefix) or "/") + mark + query, prefix)
        return self.say(404, [("Content-Type", "text/plain")], b"no route\n")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = route

    def send_on(self, address, path, prefix):
        """Ask the service behind, on a connection of its own, and pass its answer back as it is."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        behind = http.client.HTTPConnection(address, timeout=PATIENCE)
        try:
            behind.request(self.command, path, body, {**headers, "X-Forwarded-Prefix": prefix})
            answer = behind.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            print(f"{address} does not answer: {type(error).__name__}")
            return self.say(502, [("Content-Type", "text/plain")], b"nobody behind\n")
        finally:
            behind.close()
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in {*HOP_BY_HOP, "content-length"}]
        return self.say(answer.status, kept, content)

    def say(self, status, headers, content):
        """Answer in one piece."""
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()
        print(f"{self.command} {self.path.partition('?')[0]} {status}")

    def log_message(self, *_):
        """Say nothing of its own."""


class Server(ThreadingHTTPServer):
    """Does not wait for threads when it is stopped, and lets more than five callers queue."""

    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    Server(("0.0.0.0", 80), Router).serve_forever()
