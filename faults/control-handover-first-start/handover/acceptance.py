"""Acceptance run, annex C of the contract: asks what the client asked for, and ends with 1 at the first point that does not hold."""

import json
import urllib.error
import urllib.request


def asked(url: str) -> tuple[int, bytes]:
    """Status and body, whatever the status is."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


POINTS = {
    "C.1 the registry is ready": lambda: json.loads(asked("http://registry-service:8001/ready")[1])["ready"] is True,
    "C.2 it tells its version": lambda: asked("http://registry-service:8001/version")[0] == 200,
    "C.3 it takes nobody without a key": lambda: asked("http://registry-service:8001/models/by-uuid/m-" + "0" * 32)[0] == 401,
    "C.4 tracking is MLflow 3.4.0": lambda: asked("http://tracking-service:5000/version") == (200, b"3.4.0"),
    "C.5 the store shows nothing to strangers": lambda: asked("http://store:9000/client-models/")[0] == 403,
}
for name, holds in POINTS.items():
    if not holds():
        raise SystemExit(f"acceptance: {name}: does not hold")
    print(f"acceptance: {name}: holds", flush=True)
print(f"acceptance: {len(POINTS)} of {len(POINTS)}", flush=True)
