"""Words that all renderings share: the release's name, counts, likeliest cause, what was observed."""

from dataclasses import dataclass

from reports.causes import HOST
from reports.evidence import Bundle
from reports.exits import Exit
from reports.judge import Verdict, Word
from reports.outcomes import Outcome
from reports.performance import Metric, Standing


@dataclass(frozen=True)
class Lead:
    """What to look at first: where it lies, what it is, what to do, what was seen."""

    component: str
    summary: str
    remedy: str
    observed: str
    evidence: tuple[int, ...] = ()


def one_line(text: str, width: int = 0) -> str:
    """A text on one line, cut aloud at `width` characters (0: not at all)."""
    flat = " ".join(text.split())
    return flat if not width or len(flat) <= width else f"{flat[: width - 1].rstrip()}…"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 check`, `2 checks`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def versions(verdict: Verdict) -> dict[str, str]:
    """The versions that the release's services carry, by service, where they are known."""
    return {
        name: str(service["version"])
        for name, service in sorted(verdict.target.services.items())
        if service.get("version") and service.get("role") not in {"external", "sink", "gate"}
    }


def release(verdict: Verdict) -> str:
    """The release's identity on one line: name, environment, commit, versions of what it is about."""
    target = verdict.target
    parts = [target.name or "unnamed deployment", target.environment or ""]
    parts.append(f"commit {target.commit[:12]}" if target.commit else "")
    told = {"tracking": "MLflow", "registry": "API"}
    for name, version in versions(verdict).items():
        role = str(target.services[name].get("role"))
        parts.append(f"{told[role]} {version}" if role in told else "")
    return " · ".join(part for part in parts if part)


def checks_passed(verdict: Verdict, total: int) -> str:
    """How many of all checks there are passed, and what became of the others."""
    told = []
    for outcome in (Outcome.FAILED, Outcome.BROKEN, Outcome.SKIPPED):
        number = sum(check.outcome is outcome for check in verdict.checks)
        told += [f"{number} {outcome}"] if number else []
    told += [f"{total - len(verdict.checks)} not run"] if total > len(verdict.checks) else []
    passed = sum(check.outcome is Outcome.PASSED for check in verdict.checks)
    return f"{passed} of {count(total, 'check')} passed" + (f" ({', '.join(told)})" if told else "")


def checks_standing(verdict: Verdict) -> str:
    """How many of all checks there are passed, short."""
    passed = sum(check.outcome is Outcome.PASSED for check in verdict.checks)
    return f"{passed} of {count(total_checks(verdict), 'check')} passed"


def items_standing(verdict: Verdict) -> str:
    """How many items of the checklist are verified, refuted, unverified."""
    numbers = {
        standing: sum(item.standing is standing for item in verdict.checklist)
        for standing in (Standing.VERIFIED, Standing.REFUTED, Standing.UNVERIFIED)
    }
    told = f"{numbers[Standing.VERIFIED]} of {count(len(verdict.checklist), 'item')} verified"
    rest = [f"{number} {standing}" for standing, number in numbers.items() if standing != "verified" and number]
    return ", ".join([told, *rest])


def total_checks(verdict: Verdict) -> int:
    """All checks there are: those of every item, and any that ran beside them."""
    listed = {nodeid for item in verdict.checklist for nodeid in item.checks}
    return len(listed | {check.nodeid for check in verdict.checks})


def _first_refuted(verdict: Verdict) -> tuple[str, tuple[int, ...]]:
    for standing in (Standing.REFUTED, Standing.UNVERIFIED):
        for item in sorted(verdict.checklist, key=lambda item: not item.required):
            if item.standing is standing:
                return f"{item.title}: {item.because}", item.evidence
    return (verdict.reasons[0] if verdict.reasons else ""), ()


def _observed(verdict: Verdict) -> str:
    """The first thing seen that speaks against the release: a service's state, else a failed check's message."""
    if verdict.losses:
        return _state_and_last_line(verdict.losses[0].told)
    explained = verdict.diagnoses[0].explains if verdict.diagnoses else ()
    failed = [check for check in verdict.checks if check.outcome is Outcome.FAILED]
    failed.sort(key=lambda check: check.nodeid not in explained)
    if failed:
        return f"{failed[0].title}: {failed[0].first_line}"
    return _first_refuted(verdict)[0]


def _state_and_last_line(told: str) -> str:
    """A service's state and the last line that it wrote: the line that most often names the reason."""
    head, *rest = told.splitlines()
    lines = [line.strip().removeprefix("|").strip() for line in rest if line.lstrip().startswith("|")]
    last = next((line for line in reversed(lines) if line), "")
    return f"{head}; last log line: {last}" if last else head


def lead(verdict: Verdict) -> Lead:
    """What to look at first; where no rule names a cause, the first item that is not verified, and its evidence."""
    if verdict.verdict is Word.READY and not verdict.diagnoses:
        return Lead("none", "nothing that is required failed", "none needed", _good_news(verdict))
    if verdict.diagnoses and (verdict.diagnoses[0].component == HOST or not verdict.host):
        first = verdict.diagnoses[0]
        return Lead(first.component, first.summary, first.remedy, _observed(verdict), first.evidence)
    if verdict.host:
        return Lead(
            HOST,
            verdict.host[0],
            "mend the machine, then run again; nothing is said of the release",
            verdict.reasons[0],
        )
    if verdict.losses:
        loss = verdict.losses[0]
        told, evidence = loss.told.splitlines()[0].removeprefix(f"{loss.service} "), loss.evidence
        component = loss.service or "not named"
    else:
        (told, evidence), component = _first_refuted(verdict), "not named"
    if verdict.reasons and not any(item.standing is Standing.REFUTED for item in verdict.checklist):
        told = verdict.reasons[0]
    cited = ", ".join(f"e{seq}" for seq in evidence[:3])
    hint = _what_to_do(verdict, cited)
    return Lead(component, told or "nothing was asked", hint, _observed(verdict), evidence)


def _what_to_do(verdict: Verdict, cited: str) -> str:
    if verdict.run.exit is Exit.INTERRUPTED:
        return "run again, to its end"
    if verdict.run.partial and verdict.verdict is Word.INCONCLUSIVE:
        return "run all checks: verify without a selection"
    return f"no rule explains it yet: look at the evidence ({cited})" if cited else "mend that, then run again"


def _good_news(verdict: Verdict) -> str:
    times = [f"{row.metric} p50 {row.p50:.3f} {row.unit}" for row in verdict.performance if row.p50 is not None]
    unexpected = len(verdict.warnings.unexpected)
    return "; ".join([*times[:3], count(unexpected, "unexpected warning")])


def duration(seconds: float | None) -> str:
    """Seconds as people say them."""
    if seconds is None:
        return "unknown"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def figure(value: float | None) -> str:
    """A measured value at three decimals, `-` where there is none."""
    return "-" if value is None else f"{value:.3f}"


def told_standing(metric: Metric) -> str:
    """A metric's standing in the words of a table; without a budget nothing is judged."""
    return "no budget" if metric.budget is None else metric.standing.value


def phases(bundle: Bundle) -> dict[str, float]:
    """Seconds that each phase of the run took, as recorded."""
    finished = bundle.last("run.finished")
    return dict(finished.response.get("phases") or {}) if finished else {}
