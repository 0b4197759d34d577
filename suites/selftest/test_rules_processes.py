"""What a container's end, its log and the engine's message are diagnosed as; what only looks like it is not."""

from typing import Any

import pytest

from reports.causes import HOST, Confidence, Diagnosis
from reports.diagnosis import diagnose
from reports.rules import machine, processes
from reports.rules.seen import Ended, Rule, Seen
from suites.selftest.journals import Story

CONFIG: dict[str, Any] = {
    "services": {
        "db": {"image": "postgres:15"},
        "bucket": {"image": "mc:1", "depends_on": {"db": {"condition": "service_healthy"}}},
        "mlflow": {
            "image": "mlflow:3",
            "environment": {"BACKEND_URI": "postgresql://u:[redacted]@db/x", "OLD_PASSWORD": "", "REDIS_URL": "redis"},
            "depends_on": {"bucket": {"condition": "service_completed_successfully"}},
        },
        "api": {
            "image": "api:1",
            "environment": {"TRACKING_URI": "http://mlflow:5000", "SECRET_KEY": "", "LOG_LEVEL": "info"},
            "depends_on": {"mlflow": {"condition": "service_healthy"}},
        },
        "stub": {"image": "harness:1", "labels": {"airworthy.harness": "true"}},
    }
}
LIKELY, PROVEN, UNKNOWN = Confidence.LIKELY, Confidence.PROVEN, Confidence.UNKNOWN
RUNNING: dict[str, Any] = {
    "status": "running", "exit_code": 0, "oom_killed": False, "restarts": 0, "health": "none", "health_log": [],
    "error": "",
}  # fmt: skip
TRACEBACK = ("Traceback (most recent call last):", '  File "/srv/app.py", line 7, in <module>')


def world(service: str = "api", *log: str, config: dict[str, Any] | None = None, **state: Any) -> Story:
    """A run in which one service is in this state and wrote these last lines; it exited 1 unless told otherwise."""
    story = Story().begin()
    story.tell("compose", "rendered", config or CONFIG)
    story.tell("container", service, RUNNING | {"status": "exited", "exit_code": 1} | state, {"moment": "end"})
    if log:
        story.tell("log", service, {"lines": len(log), "tail": list(log)})
    return story


def read(story: Story, *groups: tuple[Rule, ...]) -> list[Diagnosis]:
    """What the rules of these groups find, in their order."""
    seen = Seen(story.done())
    return [entry for rules in groups for rule in rules for entry in rule.rule(seen).diagnoses]


def told(story: Story, *groups: tuple[Rule, ...]) -> list[tuple[str, str, Confidence]]:
    """Cause, component and confidence of what the rules find."""
    return [(entry.cause, entry.component, entry.confidence) for entry in read(story, *groups)]


def named(config: dict[str, Any], service: str, **changed: Any) -> dict[str, Any]:
    """The configuration with some keys of a service changed."""
    services = config["services"]
    return {"services": {**services, service: {**services[service], **changed}}}


@pytest.mark.parametrize(
    ("log", "cause", "parameters"),
    [
        (
            (*TRACEBACK, "ModuleNotFoundError: No module named 'boto3.session'"),
            "module-missing",
            {"module": "boto3"},
        ),
        (
            (*TRACEBACK, "ImportError: cannot import name 'Thing' from 'pkg.part' (/x/site-packages/pkg/part.py)"),
            "modules-incompatible",
            {"name": "Thing", "module": "pkg.part"},
        ),
        (
            ('  File "/srv/app.py", line 7', "    def x(", "SyntaxError: '(' was never closed"),
            "code-invalid",
            {"error": "SyntaxError: '(' was never closed", "where": "/srv/app.py:7"},
        ),
        (("IndentationError: unexpected indent",), "code-invalid", {"where": ""}),
        (("RuntimeError: SECRET_KEY is not set",), "setting-missing", {"setting": "SECRET_KEY"}),
        (("secret_key", "  Field required [type=missing]"), "setting-missing", {"setting": "SECRET_KEY"}),
        (("KeyError: 'NEVER_NAMED'",), "setting-missing", {"setting": "NEVER_NAMED"}),
        (
            ("FileNotFoundError: [Errno 2] No such file or directory: '/etc/app.toml'",),
            "file-missing",
            {"path": "/etc/app.toml"},
        ),
        (
            ("python: can't open file '/srv/main.py': [Errno 2] No such file",),
            "file-missing",
            {"path": "/srv/main.py"},
        ),
        (
            ("PermissionError: [Errno 13] Permission denied: '/data/x'",),
            "volume-unwritable",
            {"path": "/data/x"},
        ),
        (
            ("rm: Read-only file system: /data", "error: Permission denied: "),
            "volume-unwritable",
            {"path": "/data"},
        ),
        (("error: Permission denied: ",), "volume-unwritable", {"path": "its folder"}),
        (
            ("FATAL:  database files are incompatible with server",),
            "database-files-incompatible",
            {},
        ),
    ],
)
def test_the_last_words_of_a_service_name_the_cause(
    log: tuple[str, ...], cause: str, parameters: dict[str, Any]
) -> None:
    """One cause at the service that ended, proven, citing its state and its log; the same words mean nothing while it runs."""
    story = world("api", *log)
    entry = read(story, processes.RULES)[0]

    assert told(story, processes.RULES) == [(cause, "api", PROVEN)]
    assert parameters.items() <= entry.parameters.items()
    assert {"container", "log"} <= {event.kind for event in story.events if event.seq in entry.evidence}
    assert told(world("api", *log, status="running", exit_code=0), processes.RULES) == []
    assert told(world("api", exit_code=1), processes.RULES) == []


@pytest.mark.parametrize(
    "log",
    [
        ("RuntimeError: LOG_LEVEL is not set",),
        ("RuntimeError: the model was not found",),
        ("INFO SECRET_KEY was read",),
        ("ValueError: cannot use it",),
    ],
)
def test_words_that_only_look_like_a_missing_setting_are_a_plain_crash(log: tuple[str, ...]) -> None:
    """A setting that is there, no setting at all, or one not called missing: the crash is told, its cause unknown."""
    story = world("api", *log)

    assert told(story, processes.RULES) == []
    assert told(story, processes.FALLBACKS) == [("service-crashed", "api", UNKNOWN)]
    assert read(story, processes.FALLBACKS)[0].parameters["line"] == log[-1]


def test_a_module_that_the_image_holds_is_not_missing() -> None:
    """A look into the image decides: found there it refutes the log, not found there it is cited too."""
    line = "ModuleNotFoundError: No module named 'boto3'"
    for ok in (True, False):
        story = world("api", line)
        story.tell("rung", "image.module", {"ok": ok, "facts": {}, "error": None}, {"position": "mlflow"})
        asked = story.tell("rung", "image.module", {"ok": ok, "facts": {}, "error": None}, {"position": "api"})
        found = read(story, processes.RULES)

        assert [(entry.cause, asked in entry.evidence) for entry in found] == ([] if ok else [("module-missing", True)])


@pytest.mark.parametrize(
    ("environment", "setting"),
    [
        ({"DATABASE_URL": "postgres://u:[redacted]@db/x"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://u:[redacted]@db/x"}, None),
        ({"REDIS_URL": "postgres://x"}, None),
    ],
)
def test_an_old_scheme_is_named_where_its_reader_ended(environment: dict[str, str], setting: str | None) -> None:
    """`postgres://` of a service that ended; not the new scheme, not a queue's address."""
    config = named(CONFIG, "api", environment=environment)
    found = read(world("api", "sqlalchemy.exc.NoSuchModuleError: x", config=config), processes.RULES)

    assert [(entry.cause, entry.parameters["setting"]) for entry in found] == (
        [("uri-scheme-unsupported", setting)] if setting else []
    )


@pytest.mark.parametrize(
    ("state", "action", "expected"),
    [
        ({"exit_code": 137}, "die", [("service-killed", "api", PROVEN)]),
        ({"exit_code": 137}, None, [("service-killed", "api", PROVEN)]),
        ({"exit_code": 137, "oom_killed": True}, "die", [("out-of-memory", "api", PROVEN)]),
        ({"exit_code": 137}, "oom", [("out-of-memory", "api", PROVEN)]),
        ({"exit_code": 143}, None, [("service-stopped", "api", PROVEN)]),
        ({"exit_code": 130}, "die", [("service-stopped", "api", PROVEN)]),
        ({"exit_code": 0}, "stop", [("service-stopped", "api", PROVEN)]),
        ({"exit_code": 0}, "kill", [("service-stopped", "api", PROVEN)]),
        ({"exit_code": 0}, "die", [("service-ended", "api", PROVEN)]),
        ({"exit_code": 0}, None, [("service-ended", "api", PROVEN)]),
        ({"status": "paused", "exit_code": 0}, None, [("service-paused", "api", PROVEN)]),
        ({"status": "running", "exit_code": 0, "paused": True}, None, [("service-paused", "api", PROVEN)]),
        ({"status": "created", "exit_code": 0}, None, []),
        ({"status": "absent"}, None, []),
        ({"status": "running", "exit_code": 0}, "restart", []),
    ],
)
def test_how_a_service_went_is_read_from_its_exit_and_the_engines_events(
    state: dict[str, Any], action: str | None, expected: list[tuple[str, str, Confidence]]
) -> None:
    """Killed, stopped, paused, out of memory or ended by itself: the same silence, five causes."""
    story = world("api", **state)
    if action:
        story.tell("event", "api", {"action": action})

    assert told(story, processes.RULES) == expected


def test_what_the_harness_did_itself_counts_for_nothing() -> None:
    """An expected event and a service of the harness's own are no evidence against the target."""
    story = world("api", exit_code=0)
    story.tell("event", "api", {"action": "stop", "expected": True})

    assert told(story, processes.RULES) == [("service-ended", "api", PROVEN)]
    assert told(world("stub", "RuntimeError: x"), processes.RULES, processes.FALLBACKS) == []


@pytest.mark.parametrize(
    ("definition", "limit"),
    [
        ({"deploy": {"resources": {"limits": {"memory": "134217728"}}}}, "134217728"),
        ({"mem_limit": "64m"}, "64m"),
        ({}, "no limit of its own"),
    ],
)
def test_the_memory_limit_is_told_with_its_end(definition: dict[str, Any], limit: str) -> None:
    """Wherever the definition writes it; even while the service lives on after a child's death."""
    config = named(CONFIG, "api", **definition)
    entry = read(world("api", config=config, status="running", exit_code=0, oom_killed=True), processes.RULES)[0]

    assert (entry.cause, entry.layer, entry.parameters["limit"]) == ("out-of-memory", "resource", limit)


@pytest.mark.parametrize(
    ("log", "state", "reason"),
    [
        (
            (),
            {"status": "created", "exit_code": 127, "error": 'runc: exec: "nope": executable file not found in $PATH'},
            '"nope": executable file not found in $PATH',
        ),
        (("exec /srv/run: exec format error",), {"exit_code": 126}, "exec /srv/run: exec format error"),
        (("sh: nope: not found",), {"exit_code": 127}, "sh: nope: not found"),
        ((), {"status": "created", "exit_code": 0, "error": "network vanished"}, None),
        (("exec format error",), {"status": "running", "exit_code": 126}, None),
        (("exec format error",), {"exit_code": 1}, None),
    ],
)
def test_a_command_that_the_engine_cannot_start(
    log: tuple[str, ...], state: dict[str, Any], reason: str | None
) -> None:
    """By the engine's error or the exit codes 126 and 127; the words alone are not enough."""
    found = [entry for entry in read(world("api", *log, **state), processes.RULES) if entry.cause != "service-ended"]

    assert [(entry.cause, entry.parameters["reason"]) for entry in found] == (
        [("command-not-runnable", reason)] if reason else []
    )


@pytest.mark.parametrize(
    ("service", "state", "expected"),
    [
        ("bucket", {"exit_code": 3}, [("job-failed", "bucket", LIKELY)]),
        ("bucket", {"exit_code": 0}, []),
        ("bucket", {"exit_code": 137}, []),
        ("api", {"exit_code": 3}, [("service-crashed", "api", UNKNOWN)]),
        ("api", {"exit_code": 3, "status": "restarting", "restarts": 4}, [("service-restarting", "api", UNKNOWN)]),
        ("api", {"exit_code": 143}, []),
        ("api", {"exit_code": 0, "status": "running", "health": "healthy"}, []),
    ],
)
def test_what_no_rule_explains_is_told_by_its_last_words(
    service: str, state: dict[str, Any], expected: list[tuple[str, str, Confidence]]
) -> None:
    """That a job failed is seen by its exit code, its reason is not; why a service crashed stays unknown; what ended well says nothing."""
    assert told(world(service, "starting", "boom", "", **state), processes.FALLBACKS) == expected


@pytest.mark.parametrize(
    ("health_log", "line"),
    [
        ([{"exit": 1, "output": "old"}, {"exit": 1, "output": "curl:  (7)\nrefused"}], "curl: (7) refused"),
        ([{"exit": 7, "output": ""}], "exit 7"),
        ([], "exit None"),
    ],
)
def test_an_unhealthy_service_is_told_by_its_last_health_answer(health_log: list[dict[str, Any]], line: str) -> None:
    """Its output, else its exit code; the cause stays unknown, and a service that ended is not unhealthy."""
    sick: dict[str, Any] = {"status": "running", "exit_code": 0, "health": "unhealthy", "health_log": health_log}
    entry = read(world("api", **sick), processes.FALLBACKS)[0]

    assert (entry.cause, entry.confidence, entry.parameters["line"]) == ("service-unhealthy", UNKNOWN, line)
    gone = told(world("api", "x", **{**sick, "status": "exited", "exit_code": 1}), processes.FALLBACKS)
    assert gone == [("service-crashed", "api", UNKNOWN)]


@pytest.mark.parametrize(
    ("state", "failed", "causes"),
    [
        ({"health": "starting"}, {"api": {}}, ["service-silent"]),
        ({"health": "unhealthy"}, {"api": {}}, ["service-unhealthy"]),
        ({"health": "starting"}, {"db": {}}, []),
        ({"health": "starting"}, {}, []),
        ({"status": "exited", "exit_code": 1}, {"api": {}}, ["service-crashed"]),
    ],
)
def test_a_service_that_does_not_come_up_is_silent(
    state: dict[str, Any], failed: dict[str, Any], causes: list[str]
) -> None:
    """The start gave up on it while it ran without health; unhealthy, ended or never waited for is another matter."""
    given: dict[str, Any] = {"status": "running", "exit_code": 0, **state}
    story = world("api", "loading", **given)
    story.tell("start", "p", {"ok": False, "failed": failed, "compose_error": None})

    assert [cause for cause, _, _ in told(story, processes.FALLBACKS)] == causes


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((), "it wrote nothing"),
        (("", "  "), "it wrote nothing"),
        (("one", "two"), "two"),
        (("ValueError: no", "bye"), "ValueError: no"),
        (("FATAL: role", "x" * 400), "FATAL: role"),
        (("x" * 400,), "x" * 300),
    ],
)
def test_the_last_words_are_the_last_error_else_the_last_line(lines: tuple[str, ...], words: str) -> None:
    """An error line tells more than what follows it; a long line is cut."""
    assert processes.last_words(lines) == words


def refused(message: str | None) -> Story:
    """A run whose bring-up ended with this message of Compose or the engine."""
    story = Story().begin()
    story.tell("compose", "rendered", CONFIG)
    story.tell("start", "project", {"ok": False, "failed": {}, "compose_error": message})
    return story


@pytest.mark.parametrize(
    ("message", "cause", "component", "parameters"),
    [
        (
            "driver failed: Bind for 127.0.0.1:8001 failed: port is already allocated",
            "port-taken", HOST, {"port": "8001"},
        ),
        (
            "cannot expose port: listen tcp4 0.0.0.0:5432: bind: address already in use",
            "port-taken", HOST, {"port": "5432"},
        ),
        ("listen tcp 127.0.0.1:5433: bind: permission denied", "port-taken", HOST, {"port": "5433"}),
        ("write /var/lib/docker/x: no space left on device", "disk-full", HOST, {}),
        ("Error response from daemon: No such image: api:1", "image-unavailable", "api", {"image": "api:1"}),
        (
            "Error: pull access denied for mlflow, repository does not exist",
            "image-unavailable", "mlflow", {"image": "mlflow"},
        ),
        (
            "mlflow-1 Error manifest unknown: gone",
            "image-unavailable", "mlflow", {"image": "mlflow:3"},
        ),
        ("Error response from daemon: repository does not exist", "image-unavailable", HOST, {"image": ""}),
        (
            'failed to resolve reference "docker.io/library/harness:1": not found',
            "image-unavailable", "stub", {"image": "harness:1"},
        ),
        ("dial tcp 10.0.0.1:443: i/o timeout", "image-unavailable", HOST, {}),
        ("service api depends on undefined service x: invalid compose project", "definition-invalid", "api", {}),
        ("yaml: line 3: did not find expected key", "definition-invalid", HOST, {}),
    ],
)  # fmt: skip
def test_the_engines_message_names_what_kept_the_start_back(
    message: str, cause: str, component: str, parameters: dict[str, Any]
) -> None:
    """One cause, proven by the start: at the service that is named, else at the machine."""
    story = refused(message)
    entry = read(story, machine.RULES)[0]

    assert told(story, machine.RULES) == [(cause, component, PROVEN)]
    assert parameters.items() <= entry.parameters.items()
    assert entry.evidence == (story.events[-1].seq,)


@pytest.mark.parametrize(
    ("message", "ended"),
    [
        (None, {Ended.NOT_APPLICABLE}),
        ("", {Ended.NOT_APPLICABLE}),
        ("dependency failed to start: container api-1 is unhealthy", {Ended.REFUTED}),
    ],
)
def test_a_start_that_the_engine_did_not_refuse_is_not_the_machines(message: str | None, ended: set[Ended]) -> None:
    """No message, or one about a service that came up badly, fires no rule about the machine."""
    seen = Seen(refused(message).done())

    rules = [rule for rule in machine.RULES if rule.requires == ("start",)]
    assert {rule.rule(seen).ended for rule in rules} == ended
    assert len(rules) > 3


def test_without_evidence_the_rules_about_containers_say_nothing() -> None:
    """An empty run leaves every rule without evidence; a run without a rendered configuration still names the state."""
    empty = Seen(Story().done())
    bare = Story()
    bare.tell("container", "api", RUNNING | {"status": "exited", "exit_code": 1})
    bare.tell("log", "api", {"lines": 1, "tail": ["ModuleNotFoundError: No module named 'x'"]})

    rules = (*machine.RULES, *processes.RULES, *processes.FALLBACKS)
    assert {rule.rule(empty).ended for rule in rules} == {Ended.WITHOUT_EVIDENCE}
    assert told(bare, processes.RULES) == [("module-missing", "api", PROVEN)]
    assert diagnose(Story().done()) == ()
