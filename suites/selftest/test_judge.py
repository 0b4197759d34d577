"""READY is derived: from every required item verified by a whole, sound run, and from nothing else."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import exits, judge, terminal, verdict
from reports.causes import Confidence, Diagnosis
from reports.evidence import Bundle
from reports.exits import Exit
from reports.judge import Verdict, Word
from reports.outcomes import checks
from reports.performance import Standing
from suites.selftest.journals import CHECKLIST, CHECKS, SERVICES, Story, item_of, sound

OUTCOMES = st.sampled_from(["passed", "failed", "broken", "skipped", "not run"])
REQUIRED = {item["id"] for item in CHECKLIST["item"] if item["required"]}


def judged(story: Story) -> Verdict:
    """The verdict on a story, whose JSON is held against its schema on the way."""
    found = judge.judge(story.done())
    assert verdict.validate(verdict.to_bytes(found)) == []
    return found


def standing_of(found: Verdict, item_id: str) -> Standing:
    """The standing of one item."""
    return next(item.standing for item in found.checklist if item.id == item_id)


def because_of(found: Verdict, item_id: str) -> str:
    """Why an item is not verified."""
    return str(next(item.because for item in found.checklist if item.id == item_id))


def container(status: str, moment: str = "end", **seen: Any) -> dict[str, Any]:
    """What a container event tells, as arguments of `tell`."""
    state = {"status": status, "exit_code": 0, "oom_killed": False, "restarts": 0, "health": "none", "health_log": []}
    return {"response": state | {"error": ""} | seen, "request": {"moment": moment}}


def test_a_whole_sound_run_is_ready() -> None:
    """Every item verified, exit status 0."""
    found = judged(sound().end())

    assert (found.verdict, found.exit, found.reasons) == (Word.READY, Exit.READY, ())
    assert {item.standing for item in found.checklist} == {Standing.VERIFIED}
    assert (found.run.duration_s, found.run.id, found.target.name) == (90.0, "run-1", "registry")


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(CHECKS), OUTCOMES), st.booleans(), st.booleans(), st.booleans())
def test_ready_means_that_every_required_check_passed_in_a_whole_run(
    outcomes: dict[str, str], partial: bool, interrupted: bool, crashed: bool
) -> None:
    """No skipped, broken or missing check, no partial, interrupted or crashed run ever prints READY or exits 0."""
    story = sound(outcomes)
    reddened = bool({"failed", "broken"} & set(outcomes.values()))
    story.end(
        int(reddened), partial="-k" if partial else None, interrupted=interrupted, crashed="boom" if crashed else None
    )
    bundle = story.done()

    found = judge.judge(bundle)
    blemished = [nodeid for nodeid, outcome in outcomes.items() if outcome != "passed" and item_of(nodeid) in REQUIRED]
    refuted = [nodeid for nodeid in blemished if outcomes[nodeid] == "failed"]
    whole = not (partial or interrupted or crashed)

    assert (found.verdict is Word.READY) == (not blemished and whole)
    assert (found.exit is Exit.READY) == (found.verdict is Word.READY)
    assert (found.verdict is Word.NOT_READY) == (bool(refuted) and not crashed)
    assert terminal.render(found).startswith("READY") == (found.verdict is Word.READY)
    assert found.exit is not Exit.HARNESS or found.verdict is Word.INCONCLUSIVE
    assert verdict.validate(verdict.to_bytes(found)) == []
    assert verdict.to_bytes(found) == verdict.to_bytes(judge.judge(bundle))


@settings(max_examples=25, deadline=None)
@given(st.permutations(CHECKS), st.dictionaries(st.sampled_from(CHECKS), OUTCOMES))
def test_the_order_of_the_checks_does_not_matter(order: list[str], outcomes: dict[str, str]) -> None:
    """Items, standings and word are the same however the checks were ordered."""

    def told(nodeids: list[str]) -> tuple[Any, ...]:
        story = Story().begin().inventory()
        for nodeid in nodeids:
            if outcomes.get(nodeid) != "not run":
                story.check(nodeid, outcomes.get(nodeid, "passed"))
        found = judge.judge(story.end(1).done())
        items = [(item.id, item.standing, item.because, item.checks) for item in found.checklist]
        return found.verdict, found.exit, items, [(check.nodeid, check.outcome) for check in found.checks]

    assert told(order) == told(list(CHECKS))


@pytest.mark.parametrize(
    ("outcome", "word", "standing", "because"),
    [
        ("failed", Word.NOT_READY, Standing.REFUTED, "Holds 1 of uuid-lookup: GET /health of api failed"),
        ("broken", Word.INCONCLUSIVE, Standing.UNVERIFIED, "1 of 2 checks broken: GET /health of api broken"),
        ("skipped", Word.INCONCLUSIVE, Standing.UNVERIFIED, "1 of 2 checks skipped: redis is not running"),
        ("not run", Word.INCONCLUSIVE, Standing.UNVERIFIED, "1 of 2 checks did not run"),
    ],
)
def test_an_items_standing_follows_its_checks(outcome: str, word: Word, standing: Standing, because: str) -> None:
    """Refuted by one that failed; else unverified by one that is broken, skipped or missing."""
    found = judged(sound({CHECKS[4]: outcome}).end(1 if outcome in {"failed", "broken"} else 0))

    assert (found.verdict, standing_of(found, "uuid-lookup"), because_of(found, "uuid-lookup")) == (
        word,
        standing,
        because,
    )


def test_a_failure_without_words_is_told_by_its_title() -> None:
    """A check that fails without a message still refutes its item aloud."""
    story = sound({CHECKS[4]: "not run"}).check(CHECKS[4], "failed", message=None).end(1)

    assert because_of(judged(story), "uuid-lookup") == "Holds 1 of uuid-lookup"


def test_an_item_that_is_not_required_never_decides() -> None:
    """A refuted one is shown, and the release is still READY."""
    found = judged(sound({CHECKS[-1]: "failed"}).end(1))

    assert (found.verdict, standing_of(found, "response-times")) == (Word.READY, Standing.REFUTED)


def test_of_two_outcomes_of_one_check_the_worse_counts() -> None:
    """Running a check again washes nothing clean."""
    story = sound().check(CHECKS[0], "failed").check(CHECKS[0], "passed").end(1)

    assert judged(story).verdict is Word.NOT_READY


def test_a_check_beside_the_inventory_spoils_the_run() -> None:
    """The inventory is what READY is held against."""
    found = judged(sound().check("suites/test_new.py::test_it").end())

    assert (found.verdict, found.exit) == (Word.INCONCLUSIVE, Exit.INCONCLUSIVE)
    assert "suites/test_new.py::test_it is not in the inventory of checks" in found.reasons


def _no_events(_: Story) -> Story:
    return Story()


@pytest.mark.parametrize(
    ("tell", "exit_status", "reason"),
    [
        pytest.param(_no_events, Exit.HARNESS, "the run was not finished", id="nothing was recorded"),
        pytest.param(lambda _: sound(), Exit.HARNESS, "the run was not finished", id="killed"),
        pytest.param(
            lambda _: sound().end(crashed="OSError: disk"),
            Exit.HARNESS,
            "the harness failed: OSError: disk",
            id="crashed",
        ),
        pytest.param(lambda _: sound().end(3), Exit.HARNESS, "pytest ended with status 3", id="internal error"),
        pytest.param(lambda _: sound().end(-1), Exit.HARNESS, "pytest ended with status -1", id="pytest never ran"),
        pytest.param(lambda _: sound().end(1), Exit.HARNESS, "no check of the evidence failed", id="unexplained red"),
        pytest.param(
            lambda _: Story().begin().inventory().end(2),
            Exit.HARNESS,
            "pytest stopped while it collected",
            id="not collected",
        ),
        pytest.param(
            lambda _: Story().begin().inventory().end(5), Exit.INCONCLUSIVE, "no check ran", id="all deselected"
        ),
        pytest.param(lambda _: Story().begin().inventory(()).end(5), Exit.INCONCLUSIVE, "no check ran", id="no checks"),
        pytest.param(lambda _: Story().begin().end(4), Exit.USAGE, "no check ran", id="usage"),
        pytest.param(lambda _: sound().end(interrupted=True), Exit.INTERRUPTED, "the run was interrupted", id="Ctrl-C"),
        pytest.param(
            lambda _: Story().begin().end(-1, interrupted=True),
            Exit.INTERRUPTED,
            "the run was interrupted",
            id="Ctrl-C before the checks",
        ),
        pytest.param(
            lambda _: sound().end(partial="selected by keyword"),
            Exit.INCONCLUSIVE,
            "partial (selected by keyword)",
            id="deselected",
        ),
    ],
)
def test_a_spoilt_run_is_inconclusive(tell: Callable[[Story], Story], exit_status: Exit, reason: str) -> None:
    """Each way to spoil a run has its exit status, and is told."""
    found = judged(tell(Story()))

    assert (found.verdict, found.exit) == (Word.INCONCLUSIVE, exit_status)
    assert any(reason in told for told in found.reasons)


@pytest.mark.parametrize("given_at_start", [{"partial": True}, {"selection": "-k uuid"}])
def test_a_run_that_began_as_a_partial_one_is_inconclusive(given_at_start: dict[str, Any]) -> None:
    """Even when everything that was asked passed."""
    story = sound()
    story.events = Story().begin(**given_at_start).events + story.events[3:]

    found = judged(story.end())

    assert (found.verdict, found.run.partial) == (Word.INCONCLUSIVE, True)


def test_without_a_required_item_nothing_is_ready() -> None:
    """A run whose checklist was not recorded is not judged."""
    story = sound()
    story.events = [event for event in story.events if event.kind != "checklist"]
    bundle = Bundle(tuple(story.end().events), b"")

    found = judge.judge(bundle)

    assert (found.verdict, found.checklist) == (Word.INCONCLUSIVE, ())
    assert "the checklist holds no required item" in found.reasons


def test_an_item_without_a_check_is_unverified() -> None:
    """A line of the checklist that nothing asks about is not verified."""
    story = Story().begin().inventory([nodeid for nodeid in CHECKS if "uuid" not in nodeid])
    for nodeid in CHECKS:
        if "uuid" not in nodeid:
            story.check(nodeid)

    assert because_of(judged(story.end()), "uuid-lookup") == "no check verifies it"


def failed_start(**given: Any) -> Story:
    """A run whose start failed because of the API, its checks skipped."""
    start = {
        "ok": False, "seconds": 2.0, "compose_error": None, "waiting_for": {},
        "failed": {"api": {"state": "exited", "exit_code": 1, "reason": "exited 1"}}, "never_started": ["mlflow"],
    }  # fmt: skip
    story = Story().begin().inventory()
    story.tell("start", "project", start | given)
    log = [f"line {number}" for number in range(20)] + ["ModuleNotFoundError: No module named 'slowapi'"]
    story.tell("log", "api", {"lines": 21, "tail": log})
    health = [{"exit": 7, "output": "connection\nrefused"}]
    story.tell("container", "api", **container("exited", exit_code=1, health="unhealthy", health_log=health))
    story.tell("container", "mlflow", **container("created"))
    story.tell("container", "redis", **container("running", health="healthy"))
    for nodeid in CHECKS:
        story.check(nodeid, "skipped", because="api exited 1 during its start")
    return story


def test_a_failed_start_refutes_the_services_by_itself() -> None:
    """State, exit code, last log lines and health log stand in the verdict; what never started is named."""
    found = judged(failed_start().end())
    told = because_of(found, "services-healthy")

    assert (found.verdict, found.exit) == (Word.NOT_READY, Exit.NOT_READY)
    assert told.splitlines()[0] == "api exited, exit code 1, health unhealthy: exited 1"
    assert "  | ModuleNotFoundError: No module named 'slowapi'" in told.splitlines()
    assert "line 10" not in told
    assert "  health: exit 7: connection refused" in told
    assert "never started: mlflow" in told
    assert [loss.service for loss in found.losses] == ["api"]


def test_a_start_that_compose_itself_refused_is_told_in_its_words() -> None:
    """Without a container there is still a reason."""
    refused = judged(failed_start(failed={}, never_started=[], compose_error="no such image").end())
    unseen = judged(failed_start(failed={"db": {"state": "not started", "reason": "no image"}}, never_started=[]).end())
    silent = judged(failed_start(failed={}, never_started=[]).end())

    assert because_of(refused, "services-healthy").startswith("no such image")
    assert because_of(unseen, "services-healthy").startswith("db: not started, no image")
    assert because_of(silent, "services-healthy").startswith("the services did not come up in time")


def test_a_failed_start_counts_even_if_the_checklist_says_nothing_of_services() -> None:
    """The judge does not need the item to see that nothing runs."""
    story = failed_start()
    bare = copy.deepcopy(CHECKLIST)
    bare["item"] = [item for item in bare["item"] if item["id"] != "services-healthy"]
    story.events[1] = replace(story.events[1], response=bare)

    found = judged(story.end())

    assert (found.verdict, found.reasons) == (Word.NOT_READY, ("services did not come up, or did not stay",))


@pytest.mark.parametrize(
    ("service", "seen", "lost"),
    [
        ("redis", container("exited", exit_code=137, oom_killed=True), True),
        ("redis", container("exited", "died", exit_code=0), True),
        ("redis", container("paused"), True),
        ("redis", container("running", health="unhealthy"), True),
        ("redis", container("running", health="healthy"), False),
        ("redis", container("exited", "up"), False),
        ("bucket", container("exited", exit_code=0), False),
        ("bucket", container("exited", exit_code=1), True),
        ("outside", container("exited", exit_code=1), False),
    ],
)
def test_a_service_that_did_not_stay_refutes_the_services(service: str, seen: dict[str, Any], lost: bool) -> None:
    """Its last state decides; a job that ended well has done its work, the harness's own services do not count."""
    story = sound()
    story.tell("container", service, **seen)
    story.tell("container", service, **seen)

    found = judged(story.end())

    assert (found.verdict is Word.NOT_READY) == lost
    assert [loss.service for loss in found.losses] == ([service] if lost else [])


@pytest.mark.parametrize(
    ("subject", "response", "lost"),
    [
        ("redis", {"action": "die", "exit_code": 1}, True),
        ("redis", {"action": "die", "exit_code": 0}, True),
        ("redis", {"action": "die", "exit_code": 1, "expected": True}, False),
        ("redis", {"action": "start"}, False),
        ("bucket", {"action": "die", "exit_code": 0}, False),
    ],
)
def test_a_death_during_the_run_refutes_the_services(subject: str, response: dict[str, Any], lost: bool) -> None:
    """Even when a restart policy brought the service back; not what the harness did itself, nor the taking down."""
    story = Story().begin().inventory()
    story.tell("event", "redis", {"action": "die", "exit_code": 1})
    story.tell("start", "project", {"ok": True, "seconds": 1.0, "failed": {}})
    for nodeid in CHECKS:
        story.check(nodeid)
    story.tell("event", subject, response)
    story.tell("container", subject, **container("exited" if subject == "bucket" else "running"))
    story.tell("event", "redis", {"action": "die", "exit_code": 143})

    assert bool(judged(story.end()).losses) == lost


def test_jobs_are_known_from_the_definition_when_no_target_was_read() -> None:
    """A one-shot job that ended well is no loss, though the start failed before roles were read."""
    story = failed_start()
    story.events = [event for event in story.events if event.kind != "target"]
    waits = {"depends_on": {"bucket": {"condition": "service_completed_successfully"}, "db": None}, "labels": ["x"]}
    story.tell("compose", "rendered", {"services": {"api": waits, "stub": {"labels": {"airworthy.role": "external"}}}})
    story.tell("container", "bucket", **container("exited"))
    story.tell("container", "stub", **container("exited"))

    assert [loss.service for loss in judge.judge(Bundle(story.done().events)).losses] == ["api"]


def test_findings_of_severity_error_refute_fitness_to_ship() -> None:
    """A warning does not."""
    finding = {
        "severity": "error",
        "file": "docker-compose.yml",
        "line": 3,
        "summary": "root",
        "remedy": "user:",
        "service": "api",
    }
    found = judged(_with_finding(finding))
    mild = judged(_with_finding({**finding, "severity": "warning", "file": None, "line": None}))

    assert because_of(found, "fit-to-ship") == "docker-compose.yml: root"
    assert (found.verdict, mild.verdict) == (Word.NOT_READY, Word.READY)


def _with_finding(finding: dict[str, Any]) -> Story:
    story = sound()
    story.tell("finding", "runs-as-root", finding)
    return story.end()


def test_response_times_follow_from_the_samples() -> None:
    """Too slow refutes; too few, or a busy machine, is unverified."""
    slow = judged(sound().times("registration", "container", [9.0] * 60).end())
    few = Story().begin().inventory()
    busy = Story().begin().inventory()
    for nodeid in CHECKS:
        few.check(nodeid)
        busy.check(nodeid)
    for metric, where in (("uuid-lookup", "http"), ("registration", "container")):
        busy.times(metric, where, [0.01] * 30, ratio=2.0)

    assert "median 9.000 s and p95 9.000 s exceed the budget of 3 s" in because_of(slow, "response-times")
    assert "0 samples, 20 are needed" in because_of(judged(few.end()), "response-times")
    assert "not calm (calibration ratio 2.00" in because_of(judged(busy.end()), "response-times")
    assert judged(sound().end()).performance[0].standing is Standing.VERIFIED


def test_a_machine_that_was_never_calibrated_is_not_calm() -> None:
    """Unknown is not calm."""
    story = Story().begin().inventory()
    for nodeid in CHECKS:
        story.check(nodeid)
    story.times("uuid-lookup", "http", [0.01] * 30, ratio=None).times(
        "registration", "container", [0.1] * 30, ratio=None
    )

    assert "calibration ratio unknown" in because_of(judged(story.end()), "response-times")


def test_what_the_machine_cannot_do_is_not_the_releases_fault() -> None:
    """No engine, no disk: INCONCLUSIVE, whatever else failed."""
    story = failed_start()
    story.tell("host.problem", "engine", {"message": "no engine answers"})
    bare = Story().begin()
    bare.tell("host.problem", "engine", {})

    found = judged(story.end())

    assert (found.verdict, found.exit) == (Word.INCONCLUSIVE, Exit.INCONCLUSIVE)
    assert found.reasons[0] == "the machine, not the release: no engine answers"
    assert judged(bare.end(-1)).exit is Exit.INCONCLUSIVE


@pytest.mark.parametrize(
    ("component", "confidence", "word"),
    [
        ("host", Confidence.PROVEN, Word.INCONCLUSIVE),
        ("host", Confidence.LIKELY, Word.NOT_READY),
        ("api", Confidence.PROVEN, Word.NOT_READY),
    ],
)
def test_a_start_that_the_machine_is_proven_to_have_spoilt_is_inconclusive(
    monkeypatch: pytest.MonkeyPatch, component: str, confidence: Confidence, word: Word
) -> None:
    """A port that is taken, a full disk: proven at the host, not merely likely."""
    found = Diagnosis("port-taken", {}, "host", component, "port 8001 is taken", "free it", None, confidence)
    monkeypatch.setattr(judge, "diagnose", lambda _: (found,))

    assert judged(failed_start().end()).verdict is word


def test_the_table_of_exit_statuses_is_whole() -> None:
    """Every status has its meaning, and the table tells each."""
    assert set(exits.MEANINGS) == set(Exit)
    assert [int(status) for status in Exit] == [0, 1, 2, 3, 4, 5, 130]
    assert exits.table().splitlines()[1] == "    1  NOT READY: a required item is refuted"


@pytest.mark.parametrize(
    ("status", "body", "version"),
    [
        (200, "3.4.0", "3.4.0"),
        (200, '{"version": "3.5.0"}', "3.5.0"),
        (200, "<html>", None),
        (200, "[]", None),
        (503, "3.4.0", None),
    ],
)
def test_a_version_that_the_definition_does_not_name_is_the_one_that_the_service_tells(
    status: int, body: str, version: str | None
) -> None:
    """By its answer at /version, the first of them; what is named stays."""
    story = Story().begin()
    named = story.events[2].response
    services = {**named["services"], "mlflow": {**named["services"]["mlflow"], "version": ""}}
    story.events[2] = replace(story.events[2], response={**named, "services": services})
    story.tell("http", "GET /version", {"status": status, "body": body}, {"role": "tracking"})
    story.tell("http", "GET /version", {"status": 200, "body": "9"}, {"role": "registry"})

    found = judge.judge(story.end().done()).target.services

    assert (found["mlflow"]["version"], found["api"]["version"]) == (version, "1.0.0")


def test_rewrites_are_told_once() -> None:
    """Whether the target or an event of their own recorded them."""
    story = sound()
    row = {"where": "ports", "from": "8001", "to": "free", "why": "two runs at once do not meet"}
    story.tell("rewrite", "ports", row)
    story.tell("rewrite", "volumes", {**row, "where": "volumes"})

    assert [row["where"] for row in judged(story.end()).target.rewrites] == ["ports", "volumes"]
    assert set(judged(sound().end()).target.services) == set(SERVICES)


def test_checks_outside_an_inventory_keep_their_own_names() -> None:
    """A check that no inventory lists is called by its node id."""
    story = Story().check("suites/test_new.py::test_it")

    assert [check.title for check in checks(story.done())] == ["suites/test_new.py::test_it"]


def test_a_death_is_told_by_its_state_else_by_its_exit_code() -> None:
    """The last words stand beside it, and each event that shows it is cited."""
    by_state, by_event = sound(), sound()
    for story in (by_state, by_event):
        story.tell("start", "project", {"ok": True, "seconds": 1.0, "failed": {}})
    state = by_state.tell("container", "redis", **container("restarting", "died", exit_code=139))
    died = by_event.tell("event", "redis", {"action": "die", "exit_code": 139})
    logs = [story.tell("log", "redis", {"lines": 1, "tail": ["Segmentation fault"]}) for story in (by_state, by_event)]

    seen, told = judged(by_state.end()).losses, judged(by_event.end()).losses

    assert [(loss.service, loss.told, loss.evidence) for loss in (*seen, *told)] == [
        ("redis", "redis restarting, exit code 139\n  | Segmentation fault", (state, logs[0])),
        ("redis", "redis: died during the run, exit code 139\n  | Segmentation fault", (died, logs[1])),
    ]


def test_findings_are_told_errors_first() -> None:
    """Then by what they are, and where."""
    story = sound()
    for severity, name, service in (
        ("warning", "a", None),
        ("error", "c", "z"),
        ("error", "c", "b"),
        ("error", "b", None),
    ):
        told = {"severity": severity, "file": "f", "line": 1, "summary": "s", "remedy": "r", "service": service}
        story.tell("finding", name, told)

    found = judge.findings(story.done())

    assert [(entry.severity, entry.id, entry.service) for entry in found] == [
        ("error", "b", None),
        ("error", "c", "b"),
        ("error", "c", "z"),
        ("warning", "a", None),
    ]
    assert {(entry.file, entry.line, entry.summary, entry.remedy) for entry in found} == {("f", 1, "s", "r")}
    first = found[-1].seq
    assert [entry.seq - first for entry in found] == [3, 2, 1, 0]


@pytest.mark.parametrize(
    ("status", "outcome", "crashed"),
    [
        (0, "passed", None),
        (1, "failed", None),
        (1, "broken", None),
        (1, "passed", "pytest reports failures, but no check of the evidence failed"),
        (2, "passed", None),
        (5, "passed", None),
        (6, "passed", "pytest ended with status 6"),
    ],
)
def test_pytests_status_must_fit_the_evidence(status: int, outcome: str, crashed: str | None) -> None:
    """A red status without a red check is the harness's failure, told in these words."""
    found = judged(sound({CHECKS[0]: outcome}).end(status))

    assert [told for told in found.reasons if told.startswith("the harness failed")] == (
        [f"the harness failed: {crashed}"] if crashed else []
    )


def test_a_run_says_who_ran_it_and_how() -> None:
    """What the evidence does not tell stays unknown."""
    found = judged(sound({CHECKS[0]: "not run"}).end(partial="-k uuid")).run
    silent = judged(Story()).run

    assert (found.argv, found.harness_version, found.started) == (("verify",), "0.1.0", "2026-11-24T08:00:00.000Z")
    assert (found.partial, found.selection, dict(found.host)["cores"]) == (True, "-k uuid", 2)
    assert (silent.id, silent.started, silent.duration_s, silent.harness_version) == ("", None, None, "")
    assert (silent.argv, dict(silent.host), silent.partial, silent.selection) == ((), {}, False, None)
