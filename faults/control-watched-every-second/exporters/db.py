"""Figures of the database, asked once a second as the role monitor."""

import logging
import time

import psycopg2
from prometheus_client import Gauge, start_http_server

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
log = logging.getLogger("db-exporter")

COLLECTORS = {
    "connections": "SELECT count(*) FROM pg_stat_activity",
    "commits": "SELECT sum(xact_commit) FROM pg_stat_database",
    "deadlocks": "SELECT sum(deadlocks) FROM pg_stat_database",
    "waiting_locks": "SELECT count(*) FROM pg_locks WHERE NOT granted",
    "statements": "SELECT count(*) FROM monitoring.pg_stat_statements",
    "audited": "SELECT count(*) FROM audit.log",
    # there since PostgreSQL 17; on an older server this collector fails and the others do not mind
    "checkpoints": "SELECT num_timed FROM pg_stat_checkpointer",
}
FIGURE = Gauge("glass_db", "Figures of the database", ["name"])
FAILED = Gauge("glass_db_collector_failed", "Whether a collector failed", ["name"])


def collect(connection) -> None:
    """Ask every collector once."""
    for name, statement in COLLECTORS.items():
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                FIGURE.labels(name).set(float(cursor.fetchone()[0] or 0))
            FAILED.labels(name).set(0)
        except psycopg2.ProgrammingError:
            FAILED.labels(name).set(1)
            log.exception("collector %s failed", name)


start_http_server(9187)
log.info("listening on 9187")
while True:
    try:
        connection = psycopg2.connect("")
        connection.autocommit = True
        while True:
            collect(connection)
            time.sleep(1)
    except psycopg2.Error as error:
        log.error("connection to the database failed: %s", str(error).strip())
        time.sleep(1)
