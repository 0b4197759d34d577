"""signoff.md: the seed's sections in the seed's order, each filled from evidence or shown as open."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.checklist import Checklist
from reports.evidence import Bundle, Event, canonical
from reports.judge import ItemResult, Verdict, Word, checklist_of
from reports.outcomes import Check, Outcome
from reports.performance import NOT_COMPARED, Standing
from reports.wording import (
    checks_passed,
    count,
    duration,
    figure,
    items_standing,
    lead,
    one_line,
    phases,
    release,
    told_standing,
    total_checks,
)

MARKS = {Standing.VERIFIED: "✅", Standing.REFUTED: "❌", Standing.UNVERIFIED: "❔"}
OUTCOMES = {Outcome.PASSED: "✅", Outcome.FAILED: "❌", Outcome.BROKEN: "❔", Outcome.SKIPPED: "❔"}
# The seed's three tests, by the items of the checklist that took their place.
TESTS = (
    ("modelinfo-capture", "Register Baseline with ModelInfo"),
    ("uuid-lookup", "Retrieve Model by UUID"),
    ("backward-compatibility", "Backward Compatibility"),
)
IMMEDIATE = "Immediate"
LONGEST = 700


def _cell(text: object) -> str:
    return one_line(str(text if text is not None else "-")).replace("|", "\\|") or "-"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    if not rows:
        return []
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows), ""]


def _refs(seqs: Sequence[int], most: int = 6) -> str:
    told = ", ".join(f"e{seq}" for seq in seqs[:most])
    return f"{told} and {len(seqs) - most} more" if len(seqs) > most else told or "none"


def _head(verdict: Verdict, checklist: Checklist) -> list[str]:
    expected = ", ".join(f"{name} {version}" for name, version in sorted(checklist.expected.items()))
    return [
        f"# Deployment Test Results - {verdict.target.name or 'unnamed deployment'}",
        "",
        f"**Date**: {(verdict.run.started or 'unknown')[:10]}",
        f"**Status**: {verdict.verdict}",
        f"**Release**: {release(verdict)}",
        f"**Expected**: {expected or 'nothing was recorded'}",
        f"**Evidence**: SHA-256 `{verdict.run.bundle_sha256}`; references such as e12 are lines of its journal",
        "",
    ]


def _summary(verdict: Verdict) -> list[str]:
    first = lead(verdict)
    lines = ["## Executive Summary", ""]
    if verdict.verdict is Word.READY:
        lines += [f"Every required item of the checklist is verified: {items_standing(verdict)}.", ""]
    else:
        lines += [
            f"The release is **{verdict.verdict}**: {'; '.join(one_line(reason) for reason in verdict.reasons)}.",
            "",
        ]
        lines += [
            f"- Cause: {one_line(first.component)}: {one_line(first.summary)}",
            f"- Remedy: {one_line(first.remedy)}",
        ]
        lines += [f"- Observed: {one_line(first.observed)}", ""]
    unexpected = count(len(verdict.warnings.unexpected), "unexpected warning")
    return [*lines, f"{checks_passed(verdict, total_checks(verdict))}; {unexpected}.", ""]


def _steps(verdict: Verdict, bundle: Bundle) -> list[str]:
    rows = [
        (name, seen.get("role"), seen.get("version"), seen.get("image"), seen.get("digest"))
        for name, seen in sorted(verdict.target.services.items())
    ]
    lines = ["## Deployment Steps Completed", "", "### Services", ""]
    lines += _table(("Service", "Role", "Version", "Image", "Digest"), rows) or ["No service was seen.", ""]
    start = bundle.last("start")
    if start is not None:
        word = "All services came up" if start.response["ok"] else "The services did not all come up"
        lines += [f"{word}: {duration(float(start.response['seconds']))} (evidence {start.ref}).", ""]
    else:
        lines += ["No start was recorded.", ""]
    lines += ["### What ran in place of what the definition says", ""]
    rewrites = [(row.get("where"), row.get("from"), row.get("to"), row.get("why")) for row in verdict.target.rewrites]
    return [*lines, *(_table(("Where", "From", "To", "Why"), rewrites) or ["Nothing was rewritten.", ""])]


def _check(check: Check) -> str:
    told = f": {one_line(check.first_line, 240)}" if check.first_line and check.outcome is not Outcome.PASSED else ""
    return f"- {OUTCOMES[check.outcome]} {check.title} ({check.outcome}, evidence {_refs((*check.evidence, check.seq))}){told}"


def _missing(item: ItemResult, ran: Mapping[str, Check]) -> list[str]:
    return [f"- ❔ `{nodeid}` did not run" for nodeid in item.checks if nodeid not in ran]


def _test(number: int, title: str, item: ItemResult | None, verdict: Verdict) -> list[str]:
    if item is None:
        return [f"### Test {number}: {title} ❔", "", "Not on the checklist that was recorded: not verified.", ""]
    ran = {check.nodeid: check for check in verdict.checks if check.item == item.id}
    lines = [f"### Test {number}: {title} {MARKS[item.standing]}", "", f"**Objective**: {item.title}", ""]
    lines += [f"**Results**: {item.standing}, {item.passed} of {count(len(item.checks), 'check')} passed", ""]
    return [*lines, "**Verification**:", *(_check(check) for check in ran.values()), *_missing(item, ran), ""]


def _tests(verdict: Verdict, bundle: Bundle) -> list[str]:
    items = {item.id: item for item in verdict.checklist}
    lines = ["## Test Results", ""]
    for number, (item_id, title) in enumerate(TESTS, start=1):
        lines += _test(number, title, items.get(item_id), verdict)
    return [*lines, *_health(bundle, verdict)]


def _role(event: Event) -> str:
    return str((event.request or {}).get("role") or "")


def _body(event: Event) -> str:
    answer: Mapping[str, Any] = event.response
    if answer.get("error"):
        return f"no answer: {canonical(answer['error'])}"
    text = str(answer.get("body") or "").strip()
    text = text.replace("```", "` ` `")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters, {event.ref})"


def _health(bundle: Bundle, verdict: Verdict) -> list[str]:
    """The first health answer of each service that was asked, as it came."""
    first: dict[str, Event] = {}
    for event in bundle.of("http"):
        if event.subject.partition("?")[0].endswith(" /health") and _role(event) in {"registry", "tracking"}:
            first.setdefault(_role(event), event)
    healthy = next((item for item in verdict.checklist if item.id == "services-healthy"), None)
    lines = [f"### Health Check Results {MARKS[healthy.standing] if healthy else '❔'}", ""]
    names = {"registry": "API Service", "tracking": "MLflow Service"}
    for role, event in sorted(first.items()):
        status = event.response.get("status", "-")
        lines += [f"**{names[role]}** (HTTP {status}, evidence {event.ref}):", "```", _body(event), "```", ""]
    return lines if first else [*lines, "No health answer was recorded.", ""]


def _issues(verdict: Verdict) -> list[str]:
    lines = ["## Issues Encountered", ""]
    for number, found in enumerate(verdict.diagnoses, start=1):
        lines += [f"### Issue {number}: {one_line(found.component)}: {one_line(found.summary)}"]
        lines += [
            f"**Problem**: {one_line(found.summary)} ({found.layer}, {found.confidence}; evidence {_refs(found.evidence)})"
        ]
        lines += [f"**Solution**: {one_line(found.remedy)}"]
        lines += [f"**Impact**: {count(len(found.explains), 'check')} that did not pass explained by it", ""]
    for finding in verdict.findings:
        where = f"{finding.file or 'definition'}{f':{finding.line}' if finding.line else ''}"
        remedy = f" {one_line(finding.remedy)}" if finding.remedy else ""
        lines += [f"- {finding.severity}: {where}: {one_line(finding.summary)} (e{finding.seq}).{remedy}"]
    if not verdict.diagnoses and not verdict.findings:
        lines += (
            ["None was found."]
            if verdict.verdict is Word.READY
            else ["No rule explains what was seen; see the checklist."]
        )
    return [*lines, ""]


def _performance(verdict: Verdict) -> list[str]:
    rows = [
        (
            row.metric,
            row.n,
            figure(row.p50),
            figure(row.p95),
            figure(row.p99),
            figure(row.budget),
            row.unit,
            told_standing(row),
        )
        for row in verdict.performance
    ]
    table = _table(("Metric", "n", "p50", "p95", "p99", "Budget", "Unit", "Standing"), rows)
    return ["## Performance Notes", "", *(table or ["Nothing was timed.", ""]), f"- {NOT_COMPARED}", ""]


def _warnings(verdict: Verdict, checklist: Checklist) -> list[str]:
    reasons = {known.id: known.reason for known in checklist.known_warnings}
    lines = ["## Warnings", "", "### Expected, Non-Critical", ""]
    for number, row in enumerate(verdict.warnings.expected, start=1):
        lines += [f"{number}. **{row.rule}** ({row.count} x {row.source}; evidence {_refs(row.evidence)})"]
        lines += [
            f"   - {one_line(row.text, 300)}",
            f"   - {one_line(reasons.get(str(row.rule), 'no reason is recorded'))}",
        ]
    lines += [] if verdict.warnings.expected else ["None was recorded."]
    lines += ["", "### Unexpected", ""]
    lines += [
        f"- {row.count} x {row.source}: {one_line(row.text, 300)} (evidence {_refs(row.evidence)})"
        for row in verdict.warnings.unexpected
    ] or ["None was recorded."]
    return [*lines, ""]


def _checklist(verdict: Verdict) -> list[str]:
    lines = ["## Production Readiness Checklist", ""]
    for item in verdict.checklist:
        need = "" if item.required else ", not required"
        told = f"{item.standing}{need}; {item.passed} of {count(len(item.checks), 'check')} passed"
        because = f": {one_line(item.because.splitlines()[0], 300)}" if item.because else ""
        lines += [f"- {MARKS[item.standing]} {item.title} ({told}; evidence {_refs(item.evidence, 3)}){because}"]
    return [*lines, *([] if verdict.checklist else ["No checklist was recorded."]), ""]


def _next_steps(verdict: Verdict, checklist: Checklist) -> list[str]:
    lines = ["## Next Steps", "", f"### {IMMEDIATE}", ""]
    steps = [found.remedy for found in verdict.diagnoses]
    steps += [f"{item.title}: {item.standing}" for item in verdict.checklist if item.standing is not Standing.VERIFIED]
    lines += [f"- [ ] {one_line(step)}" for step in steps] or ["None follows from the evidence."]
    sections = dict.fromkeys(entry.section for entry in checklist.open_items)
    for section in sections:
        lines += ["", f"### {section}", ""]
        lines += [
            f"- [ ] {entry.text} (open: no evidence of this run settles it)"
            for entry in checklist.open_items
            if entry.section == section
        ]
    return [*lines, ""]


def _conclusion(verdict: Verdict, bundle: Bundle) -> list[str]:
    first = lead(verdict)
    words = {
        Word.READY: "is **READY**: every required item is verified by evidence of this run.",
        Word.NOT_READY: f"is **NOT READY**: {one_line(first.component)}: {one_line(first.summary)}.",
        Word.INCONCLUSIVE: "is **not judged** (INCONCLUSIVE): what must hold was not verified in full.",
    }
    host = verdict.run.host
    machine = ", ".join(str(host[key]) for key in ("os", "kernel", "engine", "compose") if host.get(key))
    times = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in sorted(phases(bundle).items()))
    return [
        "## Conclusion",
        "",
        f"The release {words[verdict.verdict]}",
        "",
        "---",
        "",
        f"**Environment**: {verdict.target.kind}, {machine or 'machine unknown'}",
        f"**Run**: {verdict.run.id or 'unknown'}, started {verdict.run.started or 'unknown'}, airworthy {verdict.run.harness_version}",
        f"**Duration**: {duration(verdict.run.duration_s)}" + (f" ({times})" if times else ""),
    ]


def render(verdict: Verdict, bundle: Bundle) -> str:
    """The sign-off as Markdown; nothing in it that the evidence does not back."""
    checklist = checklist_of(bundle)
    lines = [
        *_head(verdict, checklist),
        *_summary(verdict),
        *_steps(verdict, bundle),
        *_tests(verdict, bundle),
        *_issues(verdict),
        *_performance(verdict),
        *_warnings(verdict, checklist),
        *_checklist(verdict),
        *_next_steps(verdict, checklist),
        *_conclusion(verdict, bundle),
    ]
    # Bold labels under one another would run into one paragraph: two spaces end the line.
    return "".join(f"{line}  \n" if line.startswith("**") else f"{line}\n" for line in lines)
