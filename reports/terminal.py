"""The last words on standard output: plain text; its first five lines tell what, why, what to do, what was seen."""

from pathlib import PurePath
from textwrap import wrap

from reports.judge import ItemResult, Verdict, Word
from reports.outcomes import Check, Outcome
from reports.performance import NOT_COMPARED, Metric, Standing
from reports.wording import (
    checks_standing,
    count,
    duration,
    figure,
    items_standing,
    lead,
    one_line,
    release,
    told_standing,
)

WIDTH = 110
SYMBOLS = {Standing.VERIFIED: "[x]", Standing.REFUTED: "[!]", Standing.UNVERIFIED: "[?]"}
MOST = 8
_COLOURS = {Word.READY: "32", Word.NOT_READY: "31", Word.INCONCLUSIVE: "33"}


def _told(label: str, text: str, width: int = WIDTH) -> str:
    return f"{label:<10}{one_line(text, width - 10)}"


def _head(verdict: Verdict, report: str) -> list[str]:
    first = lead(verdict)
    where = f" · {report}" if report else ""
    return [
        one_line(f"{verdict.verdict}: {release(verdict)}", WIDTH),
        _told("Cause:", f"{first.component}: {first.summary}"),
        _told("Remedy:", first.remedy),
        _told("Observed:", first.observed),
        _told("Counts:", f"{items_standing(verdict)}; {checks_standing(verdict)}", WIDTH - len(where)) + where,
    ]


def _indented(line: str) -> str:
    """The line on one line, cut to what is left of the width, its own indent kept."""
    indent = len(line) - len(line.lstrip())
    return " " * indent + one_line(line, WIDTH - 6 - indent)


def _item(item: ItemResult) -> list[str]:
    title = item.title if item.required else f"{item.title} (not required)"
    lines = [f"{SYMBOLS[item.standing]} {title:<48} {item.passed:>3}/{len(item.checks):<3} {item.standing}"]
    if item.because:
        lines += [f"      {_indented(line)}" for line in item.because.splitlines()]
    return lines


def _cut(items: list[str], most: int = MOST) -> list[str]:
    return items if len(items) <= most else [*items[:most], f"  ... and {len(items) - most} more, in the report"]


def _block(title: str, lines: list[str]) -> list[str]:
    return ["", title, *lines] if lines else []


def _bullet(text: str) -> str:
    return f"  {one_line(text, WIDTH - 2)}"


def _accused(check: Check) -> str:
    return _bullet(f"{check.outcome}: {check.title}: {check.first_line}")


def _diagnoses(verdict: Verdict) -> list[str]:
    lines = []
    for number, found in enumerate(verdict.diagnoses, start=1):
        head = f"{number}. {found.component} ({found.layer}, {found.confidence}): {found.summary}"
        told = wrap(head, WIDTH - 2, initial_indent="  ", subsequent_indent="     ")
        told += wrap(f"Remedy: {found.remedy}", WIDTH - 2, initial_indent="     ", subsequent_indent="     ")
        cited = ", ".join(f"e{seq}" for seq in found.evidence[:8])
        told += [f"     Evidence: {cited or 'none'}; explains {count(len(found.explains), 'check')}"]
        lines += told
    return lines


def _failures(verdict: Verdict) -> list[str]:
    found = [_accused(check) for check in verdict.checks if check.outcome in {Outcome.FAILED, Outcome.BROKEN}]
    reasons: dict[str, int] = {}
    for check in verdict.checks:
        if check.outcome is Outcome.SKIPPED:
            reasons[check.first_line] = reasons.get(check.first_line, 0) + 1
    skipped = [_bullet(f"{count(number, 'check')} skipped: {why}") for why, number in sorted(reasons.items())]
    return [*_cut(found), *_cut(skipped)]


def _warnings(verdict: Verdict) -> list[str]:
    seen = verdict.warnings
    lines = [_bullet(f"unexpected, {row.count} x {row.source}: {row.text}") for row in seen.unexpected]
    known = [_bullet(f"expected, {row.count} x {row.source}: {row.rule}") for row in seen.expected]
    return [*_cut(lines), *_cut(known)]


def _findings(verdict: Verdict) -> list[str]:
    return _cut(
        [
            _bullet(
                f"{found.severity}: {found.file or 'definition'}{f':{found.line}' if found.line else ''}: {found.summary}"
            )
            for found in verdict.findings
        ]
    )


def _metric(row: Metric) -> str:
    times = f"{figure(row.p50):>9} {figure(row.p95):>9} {figure(row.p99):>9} {figure(row.budget):>9}"
    return f"  {row.metric:<28} {row.n:>4} {times} {row.unit:<3} {told_standing(row)}"


def _performance(verdict: Verdict) -> list[str]:
    if not verdict.performance:
        return []
    head = f"  {'':<28} {'n':>4} {'p50':>9} {'p95':>9} {'p99':>9} {'budget':>9}"
    return [head, *(_metric(row) for row in verdict.performance), f"  {NOT_COMPARED}"]


def _run(verdict: Verdict) -> list[str]:
    run = verdict.run
    return [
        f"  run {run.id or 'unknown'}, {duration(run.duration_s)}, exit status {int(run.exit)}",
        f"  evidence {run.bundle_sha256}",
    ]


def render(verdict: Verdict, out: PurePath | None = None, *, colour: bool = False) -> str:
    """The whole text; `out` is the folder of the run, `colour` paints the verdict's word for a terminal."""
    lines = _head(verdict, str(out / "index.html") if out else "")
    items = [line for item in verdict.checklist for line in _item(item)]
    lines += _block("Checklist (checks passed of all there are)", items)
    if verdict.verdict is not Word.READY:
        lines += _block(f"Why {verdict.verdict}", _cut([_bullet(reason) for reason in verdict.reasons]))
    lines += _block("Look at first", _diagnoses(verdict))
    lines += _block("Checks that did not pass", _failures(verdict))
    lines += _block("Findings in the definition", _findings(verdict))
    lines += _block("Warnings", _warnings(verdict))
    lines += _block("Response times", _performance(verdict))
    lines += _block("Run", _run(verdict))
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    if not colour:
        return text
    word = str(verdict.verdict)
    return f"\x1b[1;{_COLOURS[verdict.verdict]}m{word}\x1b[0m{text[len(word) :]}"
