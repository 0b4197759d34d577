"""Small journals built in code: a run told event by event, for tests of what is judged from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from reports.evidence import Bundle, Event, parse_event

ITEMS = (
    ("services-healthy", "All services healthy", True),
    ("mlflow-version", "MLflow 3.4.0 verified", True),
    ("uuid-lookup", "UUID lookup working", True),
    ("fit-to-ship", "Fit to ship", True),
    ("response-times", "Response times within budget", False),
)
CHECKLIST: dict[str, Any] = {
    "version": 1,
    "expected": {"mlflow": "3.4.0"},
    "item": [
        {"id": item, "title": title, "required": required, "ground": ground}
        for ground, (item, title, required) in enumerate(ITEMS, start=1)
    ],
    "budget": [
        {"metric": "uuid-lookup.http", "unit": "ms", "seconds": 0.1, "source": "seed"},
        {"metric": "registration.container", "unit": "s", "seconds": 3.0, "source": "seed"},
    ],
    "known_warning": [
        {"id": "integer-column", "pattern": "integer column", "reason": "samples", "expected_when": "always"},
        {"id": "git-missing", "pattern": "No git", "reason": "no git", "expected_when": "when git = absent"},
    ],
    "open_item": [{"section": "For production deployment", "text": "Verify ALB routing to new ports"}],
}
HOST = {"cores": 2, "memory_bytes": 1024, "os": "Debian", "kernel": "6", "engine": "26.1.5", "compose": "2.26.1"}
SERVICES = {
    "api": {"role": "registry", "image": "api:1", "digest": "sha256:aa", "version": "1.0.0"},
    "mlflow": {"role": "tracking", "image": "mlflow:1", "digest": "sha256:bb", "version": "3.4.0"},
    "bucket": {"role": "job", "image": "mc:1", "digest": None, "version": None},
    "redis": {"role": "queue", "image": "redis:7", "digest": None, "version": "7"},
    "outside": {"role": "external", "image": "stub:1", "digest": None, "version": None},
}
CHECKS = tuple(f"suites/test_{item}.py::test_{number}" for item, _, _ in ITEMS for number in (1, 2))


def item_of(nodeid: str) -> str:
    """The item that a check of these journals cites."""
    return nodeid.removeprefix("suites/test_").split(".py", maxsplit=1)[0]


@dataclass
class Story:
    """A run being told; `done()` is its bundle."""

    events: list[Event] = field(default_factory=list)

    def tell(self, kind: str, subject: str = "", response: Any = None, request: Any = None) -> int:
        """Add one event; its number."""
        moment = f"2026-11-24T08:00:{len(self.events) % 60:02}.000Z"
        self.events.append(Event(len(self.events) + 1, moment, kind, subject, request, response))
        return len(self.events)

    def begin(self, **given: Any) -> "Story":
        """Tell how the run was started, what is asked of the release, which checks there are."""
        begun = {
            "argv": ["verify"], "harness_version": "0.1.0", "started": "2026-11-24T08:00:00.000Z", "host": HOST,
            "world": "packages", "partial": False, "selection": None, "fail_fast": False,
        }  # fmt: skip
        self.tell("run.started", "run-1", begun | given)
        self.tell("checklist", "suites/checklist.toml", CHECKLIST)
        self.target()
        return self

    def target(self) -> None:
        """Tell what is judged."""
        target = {"kind": "compose", "name": "registry", "environment": "test", "commit": "0123456789abcdef"}
        rewrites = [{"where": "ports", "from": "8001", "to": "free", "why": "two runs at once do not meet"}]
        self.tell("target", "registry", {**target, "services": SERVICES, "rewrites": rewrites})

    def inventory(self, nodeids: Sequence[str] = CHECKS) -> "Story":
        """Tell which checks there are."""
        rows = [
            {"nodeid": n, "item": item_of(n), "title": f"Holds {n[-1]} of {item_of(n)}", "needs": []} for n in nodeids
        ]
        self.tell("inventory", "suites", {"checks": rows})
        return self

    def check(self, nodeid: str, outcome: str = "passed", **given: Any) -> "Story":
        """Tell what became of one check."""
        answer = {"status": 200, "headers": {}, "body": '{"ok": true}', "seconds": 0.01}
        seen = self.tell(
            "http", "GET /health", answer, {"role": "registry", "method": "GET", "url": "http://api/health"}
        )
        told = {
            "outcome": outcome,
            "duration_s": 0.25,
            "message": None,
            "because": None,
            "evidence": [seen],
            "facts": None,
        }
        if outcome in {"failed", "broken"}:
            told["message"] = f"GET /health of api {outcome}\nexpected 200"
        if outcome == "skipped":
            told["because"] = "redis is not running"
        self.tell("check", nodeid, told | given)
        return self

    def times(self, subject: str, where: str, seconds: Sequence[float], ratio: float | None = 1.0) -> "Story":
        """Tell response times, and how calm the machine was."""
        for value in seconds:
            self.tell("sample", subject, {"seconds": value, "where": where})
        if ratio is not None:
            self.tell("calibration", "loop", {"idle_seconds": 0.1, "seconds": 0.1 * ratio, "ratio": ratio})
        return self

    def end(self, status: int = 0, **given: Any) -> "Story":
        """Tell how the run ended."""
        ended = {
            "pytest_status": status, "interrupted": False, "crashed": None, "finished": "2026-11-24T08:01:30.000Z",
            "phases": {"up": 10.0, "checks": 60.0},
        }  # fmt: skip
        self.tell("run.finished", "run-1", ended | given)
        return self

    def done(self) -> Bundle:
        """The bundle, as it would be read back from its journal."""
        lines = [event.to_line() for event in self.events]
        events = tuple(parse_event(line, "story") for line in lines)
        return Bundle(events, "".join(f"{line}\n" for line in lines).encode())


def sound(outcomes: dict[str, str] | None = None) -> Story:
    """A whole run, unended, in which everything passed but what `outcomes` say otherwise; `not run` leaves a check out."""
    story = Story().begin().inventory()
    for nodeid in CHECKS:
        outcome = (outcomes or {}).get(nodeid, "passed")
        if outcome != "not run":
            story.check(nodeid, outcome)
    return story.times("uuid-lookup", "http", [0.005] * 25).times("registration", "container", [0.2] * 25)
