"""Every rendering tells the same verdict, from evidence alone, and calls nobody."""

import json
import re
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import allure, judge, landing, renderings, signoff, terminal, verdict, wording
from reports.causes import Confidence, Diagnosis
from reports.evidence import Bundle
from reports.judge import Verdict, Word
from reports.outcomes import checks
from reports.performance import NOT_COMPARED
from suites.selftest.journals import CHECKS, Story, sound

MISSING = Diagnosis(
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


def troubled() -> Bundle:
    """A run in which much went wrong: a death, a failure, skips, warnings, findings."""
    story = Story().begin().inventory()
    story.tell("start", "project", {"ok": True, "seconds": 9.5, "failed": {}})
    state = {
        "status": "exited",
        "exit_code": 1,
        "oom_killed": True,
        "health": "none",
        "health_log": [],
        "error": "killed",
    }
    story.tell("container", "redis", state, {"moment": "died"})
    story.tell("log", "redis", {"lines": 2, "tail": ["starting", "Fatal: no | such <file>", ""]})
    outcomes = {CHECKS[4]: "failed", CHECKS[5]: "broken", CHECKS[6]: "skipped", CHECKS[7]: "skipped"}
    for nodeid in CHECKS[:-1]:
        story.check(nodeid, outcomes.get(nodeid, "passed"))
    story.tell(
        "http",
        "GET /health",
        {"error": {"type": "ReadTimeout", "message": "no answer"}, "seconds": 3.0},
        {"role": "tracking"},
    )
    story.tell("http", "GET /models", {"status": 200, "body": "x" * 20_000, "seconds": 0.1}, {"role": "registry"})
    story.times("uuid-lookup", "http", [0.25] * 25).times("upload", "http", [0.1] * 3)
    for text in ("Inferred integer column", "deprecated <script>alert(1)</script>"):
        story.tell("warning", "client inside", {"text": text})
    finding = {
        "severity": "error",
        "file": "docker-compose.yml",
        "line": 3,
        "summary": "runs as root",
        "remedy": "set user",
    }
    story.tell("finding", "runs-as-root", {**finding, "service": "api"})
    story.tell(
        "finding", "unpinned", {"severity": "warning", "file": None, "line": None, "summary": "latest", "remedy": None}
    )
    return story.end(1).done()


@pytest.fixture
def diagnosed(monkeypatch: pytest.MonkeyPatch) -> tuple[Verdict, Bundle]:
    """The troubled run with a diagnosis that explains it."""
    monkeypatch.setattr(judge, "diagnose", lambda _: (MISSING,))
    bundle = troubled()
    return judge.judge(bundle), bundle


def undiagnosed(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> Verdict:
    """The verdict where no rule explains anything."""
    monkeypatch.setattr(judge, "diagnose", lambda _: ())
    return judge.judge(bundle)


def test_the_first_five_lines_tell_what_why_what_to_do_and_what_was_seen(diagnosed: tuple[Verdict, Bundle]) -> None:
    """Verdict and release, component and cause, remedy, observation, counts and where the report is."""
    first, cause, remedy, observed, counts = terminal.render(diagnosed[0], PurePath("reports/out")).splitlines()[:5]

    assert first == "NOT READY: registry · test · commit 0123456789ab · API 1.0.0 · MLflow 3.4.0"
    assert cause == "Cause:    api: the image of api lacks the Python module slowapi"
    assert remedy == "Remedy:   add slowapi to its requirements and build again"
    assert (
        observed
        == "Observed: redis exited, exit code 1, killed for memory: killed; last log line: Fatal: no | such <file>"
    )
    assert counts.startswith("Counts:   1 of 5 items verified, 4 refuted; 5 of 10 checks passed")
    assert counts.endswith(" · reports/out/index.html")


def test_the_terminal_keeps_its_width_and_tells_every_item(diagnosed: tuple[Verdict, Bundle]) -> None:
    """Plain text, no line wider than 110, each item with its standing; colour only when asked for."""
    text = terminal.render(diagnosed[0])
    painted = terminal.render(diagnosed[0], colour=True)

    assert max(len(line) for line in text.splitlines()) <= terminal.WIDTH
    assert "\x1b" not in text
    assert painted.replace("\x1b[1;31m", "").replace("\x1b[0m", "") == text
    for item in diagnosed[0].checklist:
        assert f"{terminal.SYMBOLS[item.standing]} {item.title}" in text
    assert "2 checks skipped: redis is not running" in text
    assert "unexpected, 1 x client inside: deprecated" in text
    assert NOT_COMPARED in text


def test_without_a_diagnosis_the_observation_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost service, else the first failed check, else the first item that is open, else the reason."""
    lost = wording.lead(undiagnosed(troubled(), monkeypatch))
    failed = wording.lead(undiagnosed(sound({CHECKS[4]: "failed"}).end(1).done(), monkeypatch))
    skipped = wording.lead(undiagnosed(sound({CHECKS[4]: "skipped"}).end().done(), monkeypatch))
    nothing = wording.lead(undiagnosed(Story().done(), monkeypatch))

    assert (lost.component, lost.summary) == ("redis", "exited, exit code 1, killed for memory: killed")
    assert failed.observed == "Holds 1 of uuid-lookup: GET /health of api failed"
    assert "look at the evidence (e13" in failed.remedy
    assert skipped.summary == "UUID lookup working: unverified"
    assert skipped.observed == "UUID lookup working: 1 of 2 checks skipped: redis is not running"
    assert nothing.summary.startswith("the harness failed: the run was not finished")
    assert nothing.remedy == "mend that, then run again"


def test_what_spoilt_a_run_has_its_own_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine is mended, a partial or interrupted run is run whole; a refutation in either still leads."""
    story = sound()
    story.tell("host.problem", "disk", {"message": "no room left"})
    machine = wording.lead(undiagnosed(story.end().done(), monkeypatch))
    partial = wording.lead(undiagnosed(sound().end(partial="-k").done(), monkeypatch))
    refuted = wording.lead(undiagnosed(sound({CHECKS[4]: "failed"}).end(1, partial="-k").done(), monkeypatch))
    stopped = wording.lead(undiagnosed(sound().end(interrupted=True).done(), monkeypatch))

    assert (machine.component, machine.summary) == ("host", "no room left")
    assert partial.remedy == "run all checks: verify without a selection"
    assert refuted.remedy.startswith("no rule explains it yet")
    assert stopped.remedy == "run again, to its end"


def test_a_diagnosed_failure_is_shown_before_an_unexplained_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was observed is what the likeliest cause explains."""
    monkeypatch.setattr(judge, "diagnose", lambda _: (MISSING,))
    found = judge.judge(sound({CHECKS[0]: "failed", CHECKS[4]: "failed"}).end(1).done())

    assert wording.lead(found).observed.startswith("Holds 1 of uuid-lookup")


def test_a_state_without_a_log_line_is_told_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that said nothing is told by its state."""
    story = sound()
    story.tell("container", "redis", {"status": "exited", "exit_code": 2}, {"moment": "end"})

    assert wording.lead(undiagnosed(story.end().done(), monkeypatch)).observed == "redis exited, exit code 2"


def test_long_lists_are_cut_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal shows the first of many and says how many more there are."""
    story = sound()
    for letter in "abcdefghij":
        story.tell("warning", "mlflow-server", {"text": f"warning {letter}"})

    assert "... and 2 more, in the report" in terminal.render(undiagnosed(story.end().done(), monkeypatch))


def test_a_run_that_recorded_nothing_can_still_be_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every rendering of an empty bundle says INCONCLUSIVE and what is missing."""
    bundle = Story().done()
    found = undiagnosed(bundle, monkeypatch)
    page, sign_off = (data.decode() for data in renderings.files(found, bundle, with_allure=False).values())

    assert terminal.render(found).startswith("INCONCLUSIVE: unnamed deployment")
    assert "No checklist was recorded" in page
    assert "Nothing was timed" in page
    assert "No service was seen." in sign_off
    assert "is **not judged** (INCONCLUSIVE)" in sign_off
    assert allure.results(found, bundle, {})["environment.properties"] != b""
    assert json.loads(allure.results(found, bundle, {})["executor.json"])["type"] == "airworthy"


def test_the_landing_page_is_one_file_that_calls_nobody(diagnosed: tuple[Verdict, Bundle]) -> None:
    """No script, no address of another host; what the target said is escaped."""
    page = landing.render(*diagnosed, allure.links(diagnosed[1]), "allure/index.html")

    assert "<script" not in page
    assert re.findall(r"(?:src|href|url)\W{1,2}https?:", page) == []
    assert "deprecated &lt;script&gt;" in page
    assert f'href="allure/index.html{allure.link(CHECKS[4])}"' in page
    assert f'href="allure/index.html{allure.link(CHECKS[-1])}"' not in page
    assert "did not run" in page
    assert '<h1 class="word">NOT READY</h1>' in page
    assert 'href="#e5"' in page
    assert 'id="e5"' in page


def test_without_allure_the_page_links_nowhere_into_it(diagnosed: tuple[Verdict, Bundle]) -> None:
    """When Allure could not be rendered, the page stands alone."""
    assert "allure/index.html" not in landing.render(*diagnosed)


def test_long_evidence_is_cut_aloud_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is cut is said, and where it is whole."""
    story = Story().begin().inventory()
    seen = story.tell("http", "GET /models", {"status": 500, "body": "x" * 9_000, "error": None})
    bare = story.tell("exec", "api", None)
    story.check(CHECKS[4], "failed", evidence=[seen, bare, 999])
    story.tell("probe", "register", {"error": "gone"})
    bundle = story.end(1).done()

    page = landing.render(undiagnosed(bundle, monkeypatch), bundle)

    assert "more characters in evidence/journal.jsonl, e5" in page
    assert "http GET /models: status 500" in page


SECTIONS = (
    "## Executive Summary", "## Deployment Steps Completed", "## Test Results", "### Test 1", "### Test 2", "### Test 3",
    "### Health Check Results", "## Issues Encountered", "## Performance Notes", "## Warnings", "## Production Readiness Checklist",
    "## Next Steps", "### Immediate", "### For production deployment", "## Conclusion",
)  # fmt: skip


def test_the_sign_off_has_the_seeds_sections_in_the_seeds_order(diagnosed: tuple[Verdict, Bundle]) -> None:
    """Each once, filled from evidence; what no evidence settles is open."""
    text = signoff.render(*diagnosed)
    places = [text.index(f"\n{section}") for section in SECTIONS]

    assert places == sorted(places)
    assert "### Issue 1: api: the image of api lacks the Python module slowapi" in text
    assert "- [ ] Verify ALB routing to new ports (open: no evidence of this run settles it)" in text
    assert "**MLflow Service** (HTTP -, evidence" in text
    assert 'no answer: {"message":"no answer","type":"ReadTimeout"}' in text
    assert "- error: docker-compose.yml:3: runs as root" in text
    assert "All services came up: 9.5 s (evidence e5)." in text
    assert NOT_COMPARED in text


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(CHECKS), st.sampled_from(["failed", "broken", "skipped", "not run"])))
def test_no_rendering_ticks_an_item_that_is_not_verified(outcomes: dict[str, str]) -> None:
    """A tick stands only before what is verified, and READY only where the judge says so."""
    bundle = sound(outcomes).end(int(bool({"failed", "broken"} & set(outcomes.values())))).done()
    found = judge.judge(bundle)
    text = signoff.render(found, bundle)
    page = landing.render(found, bundle)
    section = text[text.index("## Production Readiness Checklist") : text.index("## Next Steps")]

    for item in found.checklist:
        assert (f"- ✅ {item.title} (" in section) == (item.standing == "verified")
    assert ("**Status**: READY" in text) == ("is **READY**" in text) == (found.verdict is Word.READY)
    assert ('<h1 class="word">READY</h1>' in page) == (found.verdict is Word.READY)
    assert (text, page) == (signoff.render(judge.judge(bundle), bundle), landing.render(judge.judge(bundle), bundle))


def test_a_failed_start_is_told_in_the_sign_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """No step is called completed that was not."""
    story = Story().begin()
    story.tell("start", "project", {"ok": False, "seconds": 70.0, "failed": {}, "compose_error": "no such image"})
    bundle = story.end().done()

    text = signoff.render(undiagnosed(bundle, monkeypatch), bundle)

    assert "The services did not all come up: 1 min 10 s (evidence e4)." in text
    assert "No rule explains what was seen; see the checklist." in text
    assert "No health answer was recorded." in text


def test_a_long_health_answer_is_cut_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sign-off quotes answers, not whole pages."""
    story = sound()
    story.events = [event for event in story.events if event.kind != "http"]
    story.tell("http", "GET /health", {"status": 200, "body": "y" * 5_000}, {"role": "registry"})
    bundle = Bundle(tuple(story.end().events))

    assert "... (5000 characters, e" in signoff.render(undiagnosed(bundle, monkeypatch), bundle)


def raw_result(nodeid: str | None) -> bytes:
    """A result file as allure-pytest writes it."""
    labels = [{"name": "check", "value": nodeid}] if nodeid else []
    attachments = [{"name": "log", "source": "a-attachment.txt", "type": "text/plain"}]
    result = {"uuid": "random", "name": "x", "status": "passed", "start": 5, "stop": 9, "labels": labels}
    return json.dumps({**result, "attachments": attachments, "statusDetails": {"trace": "File x.py"}}).encode()


def results_of(files: dict[str, bytes]) -> dict[str, Any]:
    """The results among files, by full name."""
    found = [json.loads(data) for name, data in files.items() if name.endswith("-result.json")]
    return {result["fullName"]: result for result in found}


def test_allure_gets_our_outcomes_with_their_evidence(diagnosed: tuple[Verdict, Bundle]) -> None:
    """One result for each check that ran, and the sign-off before them all; what pytest saw is kept."""
    found, bundle = diagnosed
    raw = {
        "r-result.json": raw_result(CHECKS[4]),
        "s-result.json": raw_result(None),
        "a-attachment.txt": b"log",
        "c-container.json": b"{}",
    }
    files = allure.results(found, bundle, raw)
    seen = results_of(files)

    assert set(seen) == {*CHECKS[:-1], allure.SIGN_OFF}
    assert seen[CHECKS[4]]["status"] == "failed"
    assert seen[CHECKS[4]]["statusDetails"]["trace"] == "File x.py"
    assert files["a-attachment.txt"] == b"log"
    assert seen[allure.SIGN_OFF]["start"] < min(seen[nodeid]["start"] for nodeid in CHECKS[:-1])
    assert [step["status"] for step in seen[allure.SIGN_OFF]["steps"]] == [
        "failed",
        "passed",
        "failed",
        "failed",
        "failed",
    ]
    for result in seen.values():
        for attachment in [*result["attachments"], *(row for step in result["steps"] for row in step["attachments"])]:
            assert attachment["source"] in files


def test_staging_results_twice_changes_nothing(diagnosed: tuple[Verdict, Bundle]) -> None:
    """Our own results are read back as they were written: a report can be rendered again."""
    once = allure.results(*diagnosed, {})

    assert allure.results(*diagnosed, once) == once


def test_long_evidence_is_cut_aloud_in_allure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check with very much evidence does not swell the page."""
    story = Story().begin().inventory()
    seqs = [story.tell("http", f"GET /{number}", {"body": "x" * 18_000}) for number in range(9)]
    bundle = story.check(CHECKS[0], evidence=seqs).check("suites/test_new.py::test_it").end().done()

    files = allure.results(undiagnosed(bundle, monkeypatch), bundle, {})
    seen = results_of(files)
    told = json.loads(files[seen[CHECKS[0]]["attachments"][0]["source"]])

    assert "whole in the journal, e5" in told[0]["response"]
    assert told[-1].endswith("more, in evidence/journal.jsonl")
    assert seen["suites/test_new.py::test_it"]["labels"][0]["value"] == "Beside the checklist"


def test_the_configuration_has_a_gate_for_every_item(diagnosed: tuple[Verdict, Bundle]) -> None:
    """At most eight variables, every item a rule, the red ones first."""
    text = allure.config(diagnosed[0], "/somewhere/page")
    gates = json.loads(text.split("const gates = ", maxsplit=1)[1].split(";\nconst rule", maxsplit=1)[0])

    assert {gate["id"] for gate in gates} == {item.id for item in diagnosed[0].checklist}
    assert [gate["verified"] for gate in gates] == sorted(gate["verified"] for gate in gates)
    assert len(allure.variables(diagnosed[0])) == 8
    assert allure.variables(diagnosed[0])["Verdict"] == "NOT READY"


def test_a_scrubbed_page_calls_no_host() -> None:
    """Analytics, fonts and scripts of others go; the page's own stay."""
    page = (
        '<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>'
        "<script>window.dataLayer = window.dataLayer || [];\ngtag('js', new Date());</script>"
        '<link rel="stylesheet" href="https://fonts.example/x.css"><script src="data:text/javascript,1"></script>'
        "<script>var own = 'https://www.googletagmanager.com/x';</script>"
    )

    clean = allure.scrub(page)

    assert "://" not in clean
    assert clean == "<script src=\"data:text/javascript,1\"></script><script>var own = 'about:blank/x';</script>"


def test_the_same_check_has_the_same_place_in_every_run() -> None:
    """Links into the report depend on the node id alone."""
    assert allure.link(CHECKS[0]) == allure.link(CHECKS[0]) != allure.link(CHECKS[1])
    assert re.fullmatch(r"#[0-9a-f]{32}", allure.sign_off_link())
    assert set(allure.links(sound().done())) == {check.nodeid for check in checks(sound().done())}


def test_the_schema_refuses_what_the_contract_does_not_hold(diagnosed: tuple[Verdict, Bundle]) -> None:
    """Unknown keys, unknown words, a READY that is not derived, and what is not JSON."""
    good = verdict.document(judge.judge(sound().end().done()))
    bad = verdict.document(diagnosed[0])

    assert verdict.validate(good) == []
    assert verdict.validate(bad) == []
    assert bad["diagnoses"][0]["patch"] == MISSING.patch
    assert verdict.validate({**good, "score": 7})[0].startswith("verdict.json: ")
    assert verdict.validate({**good, "verdict": "FINE"})
    assert verdict.validate({**bad, "verdict": "READY"})
    assert verdict.validate({**good, "run": {**good["run"], "exit": 1}})
    assert verdict.validate({**bad, "run": {**bad["run"], "exit": 0}})
    assert verdict.validate(b"{")[0].startswith("verdict.json: not JSON")


def test_figures_and_lengths_read_as_people_say_them() -> None:
    """Words that all renderings share."""
    assert wording.duration(None) == "unknown"
    assert (wording.duration(4.25), wording.duration(90)) == ("4.2 s", "1 min 30 s")
    assert (wording.count(1, "check"), wording.count(2, "entry", "entries")) == ("1 check", "2 entries")
    assert wording.one_line("a\n b  c", 5) == "a b c"
    assert wording.one_line("abcdefgh", 5) == "abcd…"


@pytest.mark.parametrize("with_allure", [True, False])
def test_people_read_two_files(diagnosed: tuple[Verdict, Bundle], *, with_allure: bool) -> None:
    """The landing page, which leads into Allure's where that was rendered, and the sign-off."""
    found, bundle = diagnosed
    page = landing.render(found, bundle, allure.links(bundle), "allure/index.html" if with_allure else None)

    assert renderings.files(found, bundle, with_allure=with_allure) == {
        "index.html": page.encode(),
        "signoff.md": signoff.render(found, bundle).encode(),
    }
    assert ("allure/index.html#" in page) is with_allure


def test_what_allure_reads_as_ascii_is_escaped() -> None:
    """Its properties know no other characters, and a backslash is its own escape."""
    story = sound()
    named = story.events[2].response
    story.events[2] = replace(story.events[2], response={**named, "name": "r\u00e9gistre \\ a\nb", "environment": None})
    bundle = story.end().done()
    text = allure.results(judge.judge(bundle), bundle, {})["environment.properties"].decode("ascii")

    assert text.splitlines()[0] == "Release = r\\u00e9gistre \\\\ a b"
    assert "Environment" not in text


def test_a_name_is_cut_where_room_is_short() -> None:
    """The first rows of the report hold 38 characters."""
    story = sound()
    named = story.events[2].response
    story.events[2] = replace(story.events[2], response={**named, "name": "n" * 50})

    assert allure.variables(judge.judge(story.end().done()))["Release"] == "n" * 37 + "…"


def test_good_news_tell_three_times_at_most() -> None:
    """And every unexpected warning is counted."""
    story = sound()
    for name in ("a", "b"):
        story.times(name, "", [1.0])
    story.tell("warning", "client inside", {"text": "new"})

    assert wording.lead(judge.judge(story.end().done())).observed == (
        "uuid-lookup.http p50 5.000 ms; registration.container p50 0.200 s; a p50 1.000 s; 1 unexpected warning"
    )
