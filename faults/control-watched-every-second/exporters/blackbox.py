"""Knocks at every door once a second, and looks whether what is locked is locked."""

import http.client
import logging
import time
import urllib.error
import urllib.request

from prometheus_client import Gauge, start_http_server

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
log = logging.getLogger("blackbox-exporter")

# address -> the status that is expected, and every how many seconds it is asked
DOORS = {
    "http://registry:8001/live": (200, 1),
    "http://registry:8001/ready": (200, 1),
    "http://registry:8001/metrics": (200, 1),
    "http://registry:8001/health": (200, 5),
    "http://registry:8001/models/hokusai_ranking_baseline/lineage": (401, 2),
    "http://tracking:5000/health": (200, 1),
    "http://tracking:5000/api/2.0/mlflow/registered-models/search?max_results=1": (200, 1),
    # left over from the service before; nobody dares to take it out of the dashboard
    "http://registry:8001/healthz": (200, 3),
    "http://tracking:5000/metrics": (200, 3),
    "http://tracking:9100/metrics": (200, 10),
}
SEEN = Gauge("glass_probe_success", "Whether a door answered as expected", ["door"])


def knock(address: str) -> int:
    """The status that an address answers with."""
    try:
        with urllib.request.urlopen(address, timeout=3) as answer:
            answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


start_http_server(9115)
log.info("listening on 9115")
second = 0
while True:
    for address, (expected, period) in DOORS.items():
        if second % period:
            continue
        try:
            status = knock(address)
        except (OSError, http.client.HTTPException):
            SEEN.labels(address).set(0)
            log.exception("probe of %s failed", address)
            continue
        SEEN.labels(address).set(status == expected)
        if status != expected:
            log.error("probe of %s failed: status %s, expected %s", address, status, expected)
    second += 1
    time.sleep(1)
