"""Four runs and all that is written of them, kept as files in recorded/: a change of a word is seen where it is reviewed.

`.venv/bin/python -m suites.selftest.recorded` writes them anew; git shows what became of them.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from unittest import mock

from reports import allure, judge, landing, signoff, terminal, verdict
from reports.causes import Confidence, Diagnosis
from reports.evidence import Bundle
from reports.judge import Verdict
from suites.selftest.journals import CHECKS, Story, sound

FOLDER = Path(__file__).with_name("recorded")
BEFORE = Diagnosis(
    cause="module-missing",
    parameters={"module": "slowapi"},
    layer="image",
    component="api",
    summary="the image of api lacks the Python module slowapi",
    remedy="add slowapi to its requirements and build again",
    patch={"services": {"api": {"image": "<fixed>"}}},
    confidence=Confidence.PROVEN,
    evidence=(5, 6, 7, 8, 9, 10, 11),
    explains=(CHECKS[4],),
)
BESIDE = Diagnosis(
    cause="queue-refuses",
    parameters={},
    layer="queue",
    component="redis",
    summary="redis takes no writes, and this sentence is long enough to be wrapped on a terminal that is 110 wide",
    remedy="give it room",
    confidence=Confidence.LIKELY,
    evidence=(),
    explains=(CHECKS[5], CHECKS[6]),
)


def ready() -> Bundle:
    """All is well: both health answers, versions told over HTTP, a known warning, a budget kept."""
    story = sound()
    for role, name in (("registry", "api"), ("tracking", "mlflow")):
        asked = {"role": role, "method": "GET", "url": f"http://{name}/health"}
        story.tell(
            "http", "GET /health?deep=1", {"status": 200, "body": f" {name} is ```well``` ", "seconds": 0.1}, asked
        )
        story.tell("http", "GET /version", {"status": 200, "body": '{"version": "9.9.9"}', "seconds": 0.1}, asked)
    story.tell("start", "project", {"ok": True, "seconds": 9.5, "failed": {}})
    for text in ("Inferred integer column", "Inferred integer column"):
        story.tell("warning", "client inside", {"text": text})
    return story.end(phases={"up": 10.0, "checks": 60.0, "build": 0.5}).done()


def refuted() -> Bundle:
    """A service died, checks failed, broke, were skipped or never ran; warnings and findings."""
    story = Story().begin(argv=["verify", "--fail-fast"], fail_fast=True).inventory()
    story.tell("start", "project", {"ok": True, "seconds": 9.5, "failed": {}})
    health = [{"exit": 1, "output": f"Connection\n refused {number}"} for number in range(5)]
    state = {"status": "exited", "exit_code": 1, "oom_killed": True, "health": "unhealthy", "health_log": health}
    story.tell("container", "redis", {**state, "error": "killed"}, {"moment": "died"})
    story.tell("log", "redis", {"lines": 2, "tail": ["starting", "Fatal: no | such <file>", ""]})
    outcomes = {CHECKS[4]: "failed", CHECKS[5]: "broken", CHECKS[6]: "skipped", CHECKS[7]: "skipped"}
    for nodeid in CHECKS[:-1]:
        story.check(nodeid, outcomes.get(nodeid, "passed"))
    no_answer = {"error": {"type": "ReadTimeout", "message": "no answer"}, "seconds": 3.0}
    story.tell("http", "GET /health", no_answer, {"role": "tracking"})
    story.tell("http", "GET /models", {"status": 500, "body": "x" * 900, "seconds": 0.1}, {"role": "registry"})
    story.times("uuid-lookup", "http", [0.25] * 25).times("upload", "http", [0.1] * 3)
    for text in ("Inferred integer column", "deprecated <script>alert(1)</script>", "deprecated | too"):
        story.tell("warning", "client inside", {"text": text})
    finding = {
        "severity": "error",
        "file": "docker-compose.yml",
        "line": 3,
        "summary": "runs as root",
        "remedy": "set user",
    }
    story.tell("finding", "runs-as-root", {**finding, "service": "api"})
    bare = {"severity": "warning", "file": None, "line": None, "summary": "latest", "remedy": None}
    story.tell("finding", "unpinned", bare)
    return story.end(1).done()


def stillborn() -> Bundle:
    """Two services did not come up, others were never started; nothing could be asked."""
    story = Story().begin().inventory(CHECKS[:3])
    failed = {
        "mlflow": {"reason": "is unhealthy", "state": "running"},
        "redis": {"reason": "exited", "state": "exited", "exit_code": 3},
    }
    told = {"ok": False, "seconds": 70.0, "failed": failed, "never_started": ["worker", "api"]}
    story.tell("start", "project", told | {"compose_error": "dependency failed to start"})
    state = {
        "status": "running",
        "exit_code": 0,
        "health": "unhealthy",
        "health_log": [{"exit": 7, "output": "no route"}],
    }
    story.tell("container", "mlflow", state, {"moment": "end"})
    story.tell("log", "mlflow", {"lines": 12, "tail": [f"line {number}" for number in range(12)]})
    story.check(CHECKS[0], "failed").check(CHECKS[1], "skipped", because="mlflow\nis not there")
    return story.end(1, partial="-k health", phases=None).done()


RUNS: dict[str, tuple[Callable[[], Bundle], tuple[Diagnosis, ...]]] = {
    "ready": (ready, ()),
    "refuted": (refuted, (BEFORE, BESIDE)),
    "stillborn": (stillborn, ()),
    "empty": (lambda: Story().done(), ()),
}


def _page(found: Verdict, bundle: Bundle) -> str:
    page = landing.render(found, bundle, allure.links(bundle), "allure/index.html")
    return re.sub(r"(?s)<style>.*?</style>", "<style></style>", page)


def _raw() -> Mapping[str, bytes]:
    """What allure-pytest left of one check and of something that is no check."""
    label = {"name": "check", "value": CHECKS[4]}
    kept = {"name": "log", "source": "a-attachment.txt", "type": "text/plain"}
    seen = {"uuid": "random", "start": 5, "stop": 9, "labels": [{"name": "suite", "value": "x"}, label]}
    seen |= {"attachments": [kept], "statusDetails": {"trace": "File x.py"}, "steps": [{"name": "asks"}]}
    files = {"r-result.json": seen, "s-result.json": {"uuid": "other", "labels": []}, "c-container.json": {}}
    return {name: json.dumps(value).encode() for name, value in files.items()} | {"a-attachment.txt": b"log"}


def _allure(found: Verdict, bundle: Bundle) -> str:
    files = allure.results(found, bundle, _raw())
    told = "".join(f"== {name}\n{files[name].decode()}\n" for name in sorted(files))
    return f"{told}== allurerc.mjs\n{allure.config(found, '/somewhere/page')}"


RENDERINGS: dict[str, Callable[[Verdict, Bundle], str]] = {
    "terminal.txt": lambda found, _: terminal.render(found, PurePath("reports/out")),
    "signoff.md": signoff.render,
    "verdict.json": lambda found, _: verdict.to_bytes(found).decode(),
    "index.html": _page,
    "allure.txt": _allure,
}


def rendering(run: str, name: str) -> str:
    """What is written of a run, its diagnoses given."""
    told, diagnoses = RUNS[run]
    bundle = told()
    with mock.patch.object(judge, "diagnose", return_value=diagnoses):
        return RENDERINGS[name](judge.judge(bundle), bundle)


if __name__ == "__main__":
    for run in RUNS:
        for name in RENDERINGS:
            (FOLDER / run).mkdir(parents=True, exist_ok=True)
            (FOLDER / run / name).write_text(rendering(run, name), encoding="utf-8")
