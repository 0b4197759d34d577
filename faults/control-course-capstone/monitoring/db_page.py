"""A poor man's adminer: the tables of the database and about how many rows they hold."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2

QUERY = "SELECT schemaname || '.' || relname, n_live_tup FROM pg_stat_user_tables ORDER BY 1"


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/healthz":
            return self.answer(200, "ok")
        try:
            connection = psycopg2.connect("", connect_timeout=3)
            try:
                with connection.cursor() as cursor:
                    cursor.execute(QUERY)
                    rows = cursor.fetchall()
            finally:
                connection.close()
        except psycopg2.Error as error:
            return self.answer(503, f"database error: {error}")
        self.answer(200, "\n".join(f"{name:50} {count}" for name, count in rows))

    def answer(self, status, text):
        body = (text + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("0.0.0.0", 8080), Page).serve_forever()
