"""Reads the exporters' pages once a second and says which alerts fire."""

import http.client
import logging
import pathlib
import time
import urllib.request

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
log = logging.getLogger("alerting")

PAGES = {
    "db": "http://db-exporter:9187/metrics",
    "queue": "http://queue-exporter:9121/metrics",
    "objects": "http://objects-exporter:9290/metrics",
    "blackbox": "http://blackbox-exporter:9115/metrics",
}

while True:
    firing = ["Watchdog (always fires, so that silence is noticed)"]
    for name, address in PAGES.items():
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                page = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            firing.append(f"ExporterDown {name}: {error}")
            continue
        for line in page.splitlines():
            if line.startswith("glass_probe_success") and line.endswith(" 0.0"):
                firing.append(f"ProbeFailing {line.rsplit(' ', 1)[0]}")
    log.error("[FIRING:%d] %s", len(firing), "; ".join(firing))
    pathlib.Path("/tmp/last-evaluation").write_text(f"{len(firing)} firing\n")
    time.sleep(1)
