"""What `doctor` says: findings in, text and exit status out."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from textwrap import wrap

from reports.exits import Exit
from reports.machine import HOST
from reports.preflight import ERROR, Finding, sorted_findings
from reports.wording import count

WIDTH = 110


def strictly(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The definition's warnings are errors; what is the machine's stays what it is."""
    return tuple(finding if finding.file == HOST else replace(finding, severity=ERROR) for finding in found)


def status(found: Iterable[Finding]) -> Exit:
    """A definition that is wrong goes before a machine that cannot run it: another machine would not help."""
    errors = [finding for finding in found if finding.severity == ERROR]
    if any(finding.file != HOST for finding in errors):
        return Exit.NOT_READY
    return Exit.INCONCLUSIVE if errors else Exit.READY


def _block(findings: Sequence[Finding]) -> list[str]:
    """One finding, and all the services that it stands in."""
    first = findings[0]
    services = list(dict.fromkeys(finding.service for finding in findings if finding.service))
    where = f"{first.file}:{first.line}" if first.line else first.file
    among = f" ({', '.join(services)})" if services else ""
    told = wrap(f"  {first.summary}", WIDTH, subsequent_indent="  ")
    told += wrap(f"  {first.remedy}", WIDTH, subsequent_indent="  ")
    return [f"{first.severity}: {where}{among}: {first.id}", *told, ""]


def render(found: Iterable[Finding], looked: Sequence[str], name: str) -> str:
    """The findings, errors first, each with its place and remedy; what was looked at; a line that sums up."""
    kept = sorted_findings(found)
    together: dict[tuple[str, str, int | None, str], list[Finding]] = {}
    for finding in kept:
        together.setdefault((finding.id, finding.file, finding.line, finding.summary), []).append(finding)
    lines = [line for findings in together.values() for line in _block(findings)]
    lines += looked
    errors = sum(findings[0].severity == ERROR for findings in together.values())
    warnings = len(together) - errors
    word = {
        Exit.READY: "nothing forbids a start",
        Exit.NOT_READY: "not fit to ship as it is defined",
        Exit.INCONCLUSIVE: "this machine cannot run it",
    }[status(kept)]
    return "\n".join([*lines, f"{name}: {word}: {count(errors, 'error')}, {count(warnings, 'warning')}"]) + "\n"
