"""The station's forward proxy: plain HTTP is passed on, CONNECT is a tunnel, each request is one line."""

import http.client
import http.server
import select
import socket
from urllib.parse import urlsplit

OWN = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


class Proxy(http.server.BaseHTTPRequestHandler):
    """One client's connection."""

    protocol_version = "HTTP/1.1"
    timeout = 60

    def pass_on(self) -> None:
        """Ask for the client, and hand back what was answered."""
        asked = urlsplit(self.path)
        if asked.scheme != "http" or not asked.hostname:
            self.send_error(400, "an absolute http address is wanted")
            return
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        headers = {name: value for name, value in self.headers.items() if name.lower() not in OWN}
        path = (asked.path or "/") + (f"?{asked.query}" if asked.query else "")
        upstream = http.client.HTTPConnection(asked.hostname, asked.port or 80, timeout=40)
        try:
            upstream.request(self.command, path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.send_error(502, f"{asked.hostname} does not answer: {type(error).__name__}")
            return
        finally:
            upstream.close()
        self.log_request(answer.status)
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in OWN | {"content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = pass_on

    def do_CONNECT(self) -> None:
        """Carry bytes both ways until one side has no more."""
        host, _, port = self.path.rpartition(":")
        try:
            far = socket.create_connection((host.strip("[]"), int(port)), timeout=10)
        except (OSError, ValueError) as error:
            self.send_error(502, f"no way to {host}: {type(error).__name__}")
            return
        self.close_connection = True
        with far:
            self.send_response(200, "Connection established")
            self.end_headers()
            near = self.connection
            while True:
                ready, _, _ = select.select([near, far], [], [], 120)
                if not ready:
                    return
                for side in ready:
                    data = side.recv(65536)
                    if not data:
                        return
                    (far if side is near else near).sendall(data)


http.server.ThreadingHTTPServer.daemon_threads = True
print("listening on 3128")
http.server.ThreadingHTTPServer(("0.0.0.0", 3128), Proxy).serve_forever()
