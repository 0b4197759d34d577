"""The judge: from evidence to standings, verdict and exit status; nothing else ever writes READY."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from reports import checklist as lists
from reports import known_warnings, lifecycle, outcomes, performance
from reports.causes import HOST, Confidence, Diagnosis
from reports.checklist import Checklist, Item
from reports.diagnosis import diagnose
from reports.evidence import Bundle, canonical
from reports.exits import Exit
from reports.known_warnings import Warnings
from reports.lifecycle import Loss
from reports.outcomes import Check, Listed, Outcome
from reports.performance import Metric, Standing

_VERSION = re.compile(r"\d[\w.+-]{0,40}")


class Word(StrEnum):
    """The verdict in one word."""

    READY = "READY"
    NOT_READY = "NOT READY"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True)
class ItemResult:
    """One line of the checklist with its standing, and why where it is not verified."""

    id: str
    title: str
    required: bool
    standing: Standing
    checks: tuple[str, ...]
    evidence: tuple[int, ...]
    because: str | None = None
    passed: int = 0


@dataclass(frozen=True)
class Finding:
    """A defect of the deployment's definition, read without running it."""

    id: str
    severity: str
    file: str | None
    line: int | None
    summary: str
    remedy: str | None
    service: str | None = None
    seq: int = 0


@dataclass(frozen=True)
class Run:
    """The run itself; times are UTC, durations in seconds."""

    id: str
    started: str | None
    duration_s: float | None
    harness_version: str
    argv: tuple[str, ...]
    host: Mapping[str, Any]
    partial: bool
    selection: str | None
    exit: Exit
    bundle_sha256: str


@dataclass(frozen=True)
class Target:
    """The release that was judged."""

    kind: str
    name: str
    environment: str | None
    commit: str | None
    services: Mapping[str, Mapping[str, Any]]
    rewrites: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Verdict:
    """All that the judge has to say; `reasons` tell why the word is not READY, `host` what the machine lacks."""

    verdict: Word
    run: Run
    target: Target
    checklist: tuple[ItemResult, ...]
    checks: tuple[Check, ...]
    diagnoses: tuple[Diagnosis, ...]
    findings: tuple[Finding, ...]
    warnings: Warnings
    performance: tuple[Metric, ...]
    reasons: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()
    host: tuple[str, ...] = ()

    @property
    def exit(self) -> Exit:
        """The exit status of the run."""
        return self.run.exit


@dataclass(frozen=True)
class _Course:
    """How the run went: what spoils it, and whether it crashed or was interrupted."""

    crashed: str | None = None
    interrupted: bool = False
    usage: bool = False
    partial: bool = False
    selection: str | None = None
    spoils: tuple[str, ...] = field(default=())


def findings(bundle: Bundle) -> tuple[Finding, ...]:
    """The findings of preflight: errors first, then by id."""
    found = [
        Finding(
            id=event.subject,
            severity=event.response["severity"],
            file=event.response.get("file"),
            line=event.response.get("line"),
            summary=event.response["summary"],
            remedy=event.response.get("remedy"),
            service=event.response.get("service"),
            seq=event.seq,
        )
        for event in bundle.of("finding")
    ]
    return tuple(sorted(found, key=lambda entry: (entry.severity != "error", entry.id, entry.service or "", entry.seq)))


def _crash(bundle: Bundle, ran: Sequence[Check]) -> str | None:
    finished = bundle.last("run.finished")
    if finished is None:
        return "the run was not finished: its journal ends before run.finished"
    if finished.response.get("crashed"):
        return str(finished.response["crashed"])
    if finished.response.get("interrupted") or bundle.of("host.problem"):
        return None
    status = finished.response["pytest_status"]
    reddened = any(check.outcome in {Outcome.FAILED, Outcome.BROKEN} for check in ran)
    stumbled = lifecycle.failed_start(bundle) is not None
    if status == 1 and not reddened and not stumbled:
        return "pytest reports failures, but no check of the evidence failed"
    if status == 2 and not ran and not stumbled:
        return "pytest stopped while it collected the checks"
    return None if status in {0, 1, 2, 4, 5} else f"pytest ended with status {status}"


def _course(bundle: Bundle, listed: Sequence[Listed], ran: Sequence[Check]) -> _Course:
    started = bundle.last("run.started")
    begun: Mapping[str, Any] = started.response if started else {}
    finished = bundle.last("run.finished")
    ended: Mapping[str, Any] = finished.response if finished else {}
    # The run says how it was cut short in words; what pytest deselected is known only at its end.
    words = [said for said in (begun.get("selection"), begun.get("partial"), ended.get("partial")) if said]
    selection = next((str(said) for said in words if said is not True), None)
    partial = bool(words)
    known = {entry.nodeid for entry in listed}
    strange = [check.nodeid for check in ran if check.nodeid not in known]
    crashed = _crash(bundle, ran)
    interrupted = bool(ended.get("interrupted"))
    spoils = [f"the harness failed: {crashed}"] if crashed else []
    spoils += ["the run was interrupted"] if interrupted else []
    spoils += [f"the run was partial ({selection or 'not all checks were asked for'})"] if partial else []
    spoils += [] if ran else ["no check ran"]
    spoils += [f"{nodeid} is not in the inventory of checks" for nodeid in strange]
    return _Course(
        crashed=crashed,
        interrupted=interrupted,
        usage=ended.get("pytest_status") == 4,
        partial=partial,
        selection=selection,
        spoils=tuple(spoils),
    )


def _direct(item: Item, bundle: Bundle, metrics: Sequence[Metric]) -> list[tuple[Standing, str, tuple[int, ...]]]:
    """What speaks about an item beside its checks: a start, a death, findings, response times."""
    if item.id == lists.SERVICES_HEALTHY:
        return [(Standing.REFUTED, loss.told, loss.evidence) for loss in lifecycle.losses(bundle)]
    if item.id == lists.FIT_TO_SHIP:
        return [
            (Standing.REFUTED, f"{entry.file or 'definition'}: {entry.summary}", (entry.seq,))
            for entry in findings(bundle)
            if entry.severity == "error"
        ]
    if item.id == lists.RESPONSE_TIMES:
        return [(metric.standing, _slow(metric), metric.evidence) for metric in metrics if metric.budget is not None]
    return []


def _slow(metric: Metric) -> str:
    if metric.standing is Standing.REFUTED:
        return (
            f"{metric.metric}: median {metric.p50:.3f} {metric.unit} and p95 {metric.p95:.3f} {metric.unit} "
            f"exceed the budget of {metric.budget:g} {metric.unit}"
        )
    if metric.n < performance.ENOUGH:
        return f"{metric.metric}: {metric.n} samples, {performance.ENOUGH} are needed"
    ratio = "unknown" if metric.calibration is None else f"{metric.calibration:.2f}"
    return f"{metric.metric}: the machine was not calm (calibration ratio {ratio}, at most {performance.CALM})"


def _unanswered(listed: Sequence[Listed], ran: Mapping[str, Check]) -> str | None:
    """Why an item is not verified although nothing refutes it, in one line."""
    if not listed:
        return "no check verifies it"
    for outcome in (Outcome.BROKEN, Outcome.SKIPPED):
        hit = [check for entry in listed if (check := ran.get(entry.nodeid)) and check.outcome is outcome]
        if hit:
            return f"{len(hit)} of {len(listed)} checks {outcome}: {hit[0].first_line or hit[0].title}"
    missing = [entry for entry in listed if entry.nodeid not in ran]
    return f"{len(missing)} of {len(listed)} checks did not run" if missing else None


def _item(
    item: Item, bundle: Bundle, listed: Sequence[Listed], ran: Mapping[str, Check], metrics: Sequence[Metric]
) -> ItemResult:
    mine = [entry for entry in listed if entry.item == item.id]
    done = [ran[entry.nodeid] for entry in mine if entry.nodeid in ran]
    failed = [check for check in done if check.outcome is Outcome.FAILED]
    direct = _direct(item, bundle, metrics)
    refuting = [told for standing, told, _ in direct if standing is Standing.REFUTED]
    refuting += [f"{check.title}: {check.first_line}" if check.first_line else check.title for check in failed]
    open_questions = [told for standing, told, _ in direct if standing is Standing.UNVERIFIED]
    unanswered = _unanswered(mine, ran)
    open_questions = [unanswered, *open_questions] if unanswered else open_questions
    if refuting:
        standing, because = Standing.REFUTED, refuting[0]
    elif open_questions:
        standing, because = Standing.UNVERIFIED, open_questions[0]
    else:
        standing, because = Standing.VERIFIED, None
    evidence = {seq for check in done for seq in (check.seq, *check.evidence)} | {
        s for _, _, seqs in direct for s in seqs
    }
    return ItemResult(
        id=item.id,
        title=item.title,
        required=item.required,
        standing=standing,
        checks=tuple(sorted(entry.nodeid for entry in mine)),
        evidence=tuple(sorted(evidence)),
        because=because,
        passed=sum(check.outcome is Outcome.PASSED for check in done),
    )


def _blames_the_host(bundle: Bundle, diagnoses: Sequence[Diagnosis]) -> list[str]:
    told = [str(event.response.get("message") or event.subject) for event in bundle.of("host.problem")]
    if told or lifecycle.failed_start(bundle) is None:
        return told
    first = diagnoses[0] if diagnoses else None
    proven = first is not None and first.component == HOST and first.confidence is Confidence.PROVEN
    return [first.summary] if first is not None and proven else []


def _word(course: _Course, items: Sequence[ItemResult], host: Sequence[str], *, lost: bool) -> tuple[Word, list[str]]:
    required = [item for item in items if item.required]
    refuted = [f"{item.title}: refuted" for item in required if item.standing is Standing.REFUTED]
    refuted += ["services did not come up, or did not stay"] if lost and not refuted else []
    unverified = [f"{item.title}: unverified" for item in required if item.standing is Standing.UNVERIFIED]
    unverified += [] if required else ["the checklist holds no required item"]
    trouble = [f"the machine, not the release: {told}" for told in host]
    if refuted and not course.crashed and not trouble:
        return Word.NOT_READY, refuted
    if refuted or unverified or trouble or course.spoils:
        return Word.INCONCLUSIVE, [*trouble, *course.spoils, *refuted, *unverified]
    return Word.READY, []


def _exit(word: Word, course: _Course) -> Exit:
    if course.interrupted:
        return Exit.INTERRUPTED
    if course.usage:
        return Exit.USAGE
    if course.crashed:
        return Exit.HARNESS
    return {Word.READY: Exit.READY, Word.NOT_READY: Exit.NOT_READY, Word.INCONCLUSIVE: Exit.INCONCLUSIVE}[word]


def _seconds_between(started: str | None, finished: str | None) -> float | None:
    if started is None or finished is None:
        return None
    return (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()


def _run(bundle: Bundle, course: _Course, status: Exit) -> Run:
    event = bundle.last("run.started")
    begun: Mapping[str, Any] = event.response if event else {}
    ended = bundle.last("run.finished")
    started = begun.get("started")
    return Run(
        id=event.subject if event else "",
        started=started,
        duration_s=_seconds_between(started, ended.response.get("finished") if ended else None),
        harness_version=str(begun.get("harness_version") or ""),
        argv=tuple(begun.get("argv") or ()),
        host=dict(begun.get("host") or {}),
        partial=course.partial,
        selection=course.selection,
        exit=status,
        bundle_sha256=bundle.sha256,
    )


def _versions_told(bundle: Bundle) -> dict[str, str]:
    """Role -> version, as services told it when they were asked at /version: JSON with a version, or the bare text."""
    told: dict[str, str] = {}
    for event in bundle.of("http"):
        role = (event.request or {}).get("role")
        if event.subject != "GET /version" or not role or event.response.get("status") != 200:
            continue
        body = str(event.response.get("body") or "").strip()
        try:
            parsed = json.loads(body)
        except ValueError:
            parsed = body
        version = parsed.get("version") if isinstance(parsed, Mapping) else body
        if isinstance(version, str) and _VERSION.fullmatch(version):
            told.setdefault(str(role), version)
    return told


def _services(bundle: Bundle, seen: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    told = _versions_told(bundle)
    return {
        name: {**service, "version": service.get("version") or told.get(str(service.get("role"))) or None}
        for name, service in seen.items()
    }


def _target(bundle: Bundle) -> Target:
    event = bundle.last("target")
    seen: Mapping[str, Any] = event.response if event else {}
    rewrites = [*(seen.get("rewrites") or ()), *(event.response for event in bundle.of("rewrite"))]
    plain = [{key: str(row.get(key) or "") for key in ("where", "from", "to", "why")} for row in rewrites]
    told = {canonical(row): row for row in plain}
    return Target(
        kind=str(seen.get("kind") or "compose"),
        name=str(seen.get("name") or ""),
        environment=seen.get("environment"),
        commit=seen.get("commit") or None,
        services=_services(bundle, seen.get("services") or {}),
        rewrites=tuple(told.values()),
    )


def checklist_of(bundle: Bundle) -> Checklist:
    """The checklist that the run was held against, as the bundle records it; empty when it does not."""
    event = bundle.last("checklist")
    return lists.parse(event.response, f"journal {event.ref}") if event else lists.EMPTY


def judge(bundle: Bundle) -> Verdict:
    """The verdict on a bundle: a pure function of it; BundleError and ChecklistError where it cannot be read."""
    checklist = checklist_of(bundle)
    listed = outcomes.inventory(bundle)
    ran = outcomes.checks(bundle)
    metrics = performance.measure(bundle, checklist)
    by_nodeid = {check.nodeid: check for check in ran}
    items = tuple(_item(item, bundle, listed, by_nodeid, metrics) for item in checklist.items)
    diagnoses = diagnose(bundle)
    course = _course(bundle, listed, ran)
    losses = lifecycle.losses(bundle)
    host = _blames_the_host(bundle, diagnoses)
    word, reasons = _word(course, items, host, lost=bool(losses))
    return Verdict(
        verdict=word,
        run=_run(bundle, course, _exit(word, course)),
        target=_target(bundle),
        checklist=items,
        checks=ran,
        diagnoses=diagnoses,
        findings=findings(bundle),
        warnings=known_warnings.sort(bundle, checklist),
        performance=metrics,
        reasons=tuple(reasons),
        losses=losses,
        host=tuple(host),
    )
