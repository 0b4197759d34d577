"""The one module that knows Allure: results, metadata, gates and configuration, as the bytes of files."""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reports.evidence import Bundle, Event, canonical
from reports.judge import ItemResult, Verdict
from reports.outcomes import Check, Outcome, checks, inventory
from reports.performance import NOT_COMPARED, Standing
from reports.wording import checks_passed, duration, figure, items_standing, lead, one_line, release, total_checks

SIGN_OFF = "Production readiness checklist"
FIRST_FEATURE = "0. Release sign-off"
# Evidence longer than this is cut in the report, aloud; the journal beside it has it whole.
LONGEST = 60_000
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "airworthy")
_STATUS = {Standing.VERIFIED: "passed", Standing.REFUTED: "failed", Standing.UNVERIFIED: "skipped"}
# The report's viewer calls an analytics host from every page; a sign-off stays at home.
_CALLS = (
    re.compile(r"<script\b[^>]*\bsrc=[\"']?https?://[^>]*>\s*</script>", re.IGNORECASE),
    re.compile(
        r"<script\b[^>]*>(?:(?!</script>).){0,600}?\bgtag\((?:(?!</script>).){0,600}?</script>",
        re.IGNORECASE | re.DOTALL,
    ),
    re.compile(r"<link\b[^>]*\bhref=[\"']?https?://[^>]*>", re.IGNORECASE),
)
_ANALYTICS = re.compile(r"https?://[\w.-]*google(?:tagmanager|-analytics)\.com", re.IGNORECASE)


def result_uuid(nodeid: str) -> str:
    """The uuid of a check's result: the same check has the same in every run."""
    return str(uuid.uuid5(_NAMESPACE, nodeid))


def link(nodeid: str) -> str:
    """Where the rendered report shows a check: a fragment of its address (the viewer's id is MD5 of the uuid)."""
    return "#" + hashlib.md5(result_uuid(nodeid).encode(), usedforsecurity=False).hexdigest()


def sign_off_link() -> str:
    """Where the rendered report shows the sign-off test."""
    return link(SIGN_OFF)


def scrub(html: str) -> str:
    """A rendered page without the tags that call other hosts, the analytics of the viewer above all."""
    for pattern in _CALLS:
        html = pattern.sub("", html)
    return _ANALYTICS.sub("about:blank", html)


def _milliseconds(moment: str | None) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000) if moment else 0


def _label(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


def _attachment(name: str, nodeid: str, data: bytes) -> tuple[dict[str, str], str, bytes]:
    source = f"{result_uuid(f'{nodeid} {name}')}-attachment.json"
    return {"name": name, "source": source, "type": "application/json"}, source, data


def _shown(event: Event) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(event.to_line())
    text = canonical(shown["response"])
    if len(text) > LONGEST // 4:
        shown["response"] = f"{text[: LONGEST // 4]}... [{len(text)} characters; whole in the journal, {event.ref}]"
    return shown


def _evidence(bundle: Bundle, seqs: tuple[int, ...]) -> bytes:
    told: list[Any] = []
    size = 0
    events = [event for seq in seqs if (event := bundle.at(seq)) is not None]
    for number, event in enumerate(events):
        shown = _shown(event)
        size += len(canonical(shown))
        if size > LONGEST:
            told.append(f"... and {len(events) - number} more, in evidence/journal.jsonl")
            break
        told.append(shown)
    return canonical(told, indent=2).encode()


def _raw_results(raw: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(raw):
        if name.endswith("-result.json"):
            result = json.loads(raw[name])
            nodeid = next((row["value"] for row in result.get("labels", ()) if row["name"] == "check"), None)
            if nodeid:
                found[nodeid] = result
    return found


def _feature(verdict: Verdict, item_id: str) -> str:
    for number, item in enumerate(verdict.checklist, start=1):
        if item.id == item_id:
            return f"{number:02}. {item.title}"
    return "Beside the checklist"


def _check_result(
    check: Check, verdict: Verdict, bundle: Bundle, raw: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """A check's result: what allure-pytest saw of it, under our outcome, with its evidence."""
    event = bundle.at(check.seq)
    stop = int(raw.get("stop") or _milliseconds(event.t if event else None))
    item = next((item for item in verdict.checklist if item.id == check.item), None)
    attached, source, data = _attachment("evidence", check.nodeid, _evidence(bundle, (*check.evidence, check.seq)))
    details = {
        "message": check.message or check.because or "",
        "trace": (raw.get("statusDetails") or {}).get("trace", ""),
    }
    result = {
        "uuid": result_uuid(check.nodeid),
        "name": check.title,
        "fullName": check.nodeid,
        "testCaseId": result_uuid(check.nodeid),
        "historyId": result_uuid(check.nodeid),
        "status": check.outcome.value,
        "statusDetails": details if check.outcome is not Outcome.PASSED else {},
        "description": raw.get("description") or check.title,
        "start": int(raw.get("start") or stop - round(check.duration_s * 1000)),
        "stop": stop,
        "stage": "finished",
        "steps": raw.get("steps", []),
        "attachments": [*(row for row in raw.get("attachments", []) if row["source"] != source), attached],
        "labels": [
            _label("feature", _feature(verdict, check.item)),
            _label("readiness", check.item),
            _label("check", check.nodeid),
            _label("severity", "critical" if item and item.required else "normal"),
        ],
    }
    return result, {source: data}


def _item_step(item: ItemResult, verdict: Verdict, bundle: Bundle, at: int) -> tuple[dict[str, Any], str, bytes]:
    mine = {check.nodeid: check for check in verdict.checks if check.item == item.id}
    told = {
        "because": item.because,
        "standing": item.standing.value,
        "checks": [
            {
                "check": nodeid,
                "outcome": mine[nodeid].outcome.value if nodeid in mine else "did not run",
                "message": one_line(mine[nodeid].first_line, 300) if nodeid in mine else "",
                "evidence": [f"e{seq}" for seq in mine[nodeid].evidence] if nodeid in mine else [],
            }
            for nodeid in item.checks
        ],
        "evidence": json.loads(_evidence(bundle, item.evidence)),
    }
    attached, source, data = _attachment("evidence", f"item {item.id}", canonical(told, indent=2).encode())
    need = "" if item.required else ", not required"
    step = {
        "name": f"{item.title}: {item.standing} ({item.passed}/{len(item.checks)} checks passed{need})",
        "status": _STATUS[item.standing],
        "statusDetails": {"message": item.because} if item.because else {},
        "start": at,
        "stop": at,
        "stage": "finished",
        "steps": [],
        "attachments": [attached],
    }
    return step, source, data


def _cell(text: object) -> str:
    return one_line(str(text)).replace("|", "\\|")


def _description(verdict: Verdict) -> str:
    first = lead(verdict)
    lines = [f"**{verdict.verdict}**: {release(verdict)}", ""]
    lines += [f"* {items_standing(verdict)}; {checks_passed(verdict, total_checks(verdict))}"]
    lines += [f"* Cause: {_cell(first.component)}: {_cell(first.summary)}", f"* Remedy: {_cell(first.remedy)}"]
    lines += [f"* Observed: {_cell(first.observed)}", "", "| Item | Standing | Checks | Because |", "|---|---|---|---|"]
    lines += [
        f"| {_cell(item.title)} | {item.standing} | {item.passed}/{len(item.checks)} | {_cell((item.because or '').partition(chr(10))[0])} |"
        for item in verdict.checklist
    ]
    lines += ["", "| Metric | n | p50 | p95 | Budget | Standing |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {_cell(row.metric)} ({row.unit}) | {row.n} | {figure(row.p50)} | {figure(row.p95)} | {figure(row.budget)} | {row.standing} |"
        for row in verdict.performance
    ]
    lines += ["", NOT_COMPARED, ""]
    seen = verdict.warnings
    lines += [f"* unexpected warning, {row.count} x {_cell(row.source)}: {_cell(row.text)}" for row in seen.unexpected]
    lines += [f"* expected warning, {row.count} x {_cell(row.source)}: {_cell(row.rule)}" for row in seen.expected]
    return "\n".join(lines)


def _sign_off(verdict: Verdict, bundle: Bundle, earliest: int) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The first test of the report: the checklist, one step an item; red unless the verdict is READY."""
    steps = []
    files = {}
    at = earliest - 1000
    for item in verdict.checklist:
        step, source, data = _item_step(item, verdict, bundle, at)
        steps.append(step)
        files[source] = data
    status = {"READY": "passed", "NOT READY": "failed", "INCONCLUSIVE": "broken"}[verdict.verdict]
    result = {
        "uuid": result_uuid(SIGN_OFF),
        "name": SIGN_OFF,
        "fullName": SIGN_OFF,
        "testCaseId": result_uuid(SIGN_OFF),
        "historyId": result_uuid(SIGN_OFF),
        "status": status,
        "statusDetails": {"message": "; ".join(verdict.reasons)} if verdict.reasons else {},
        "description": _description(verdict),
        "start": at,
        "stop": at,
        "stage": "finished",
        "steps": steps,
        "attachments": [],
        "labels": [_label("feature", FIRST_FEATURE), _label("severity", "blocker")],
    }
    return result, files


def _escaped(text: str) -> str:
    flat = one_line(text).replace("\\", "\\\\")
    return "".join(char if 32 <= ord(char) < 127 else f"\\u{ord(char):04x}" for char in flat)


def environment(verdict: Verdict) -> dict[str, str]:
    """What the report says of the surroundings, short names and values."""
    host = verdict.run.host
    told = {
        "Release": verdict.target.name,
        "Environment": verdict.target.environment or "",
        "Commit": verdict.target.commit or "",
        "Harness": verdict.run.harness_version,
        "Run": verdict.run.id,
        "Evidence_sha256": verdict.run.bundle_sha256,
        "Host": ", ".join(str(host[key]) for key in ("os", "kernel", "engine") if host.get(key)),
    }
    for name, service in sorted(verdict.target.services.items()):
        told[name] = " ".join(str(service[key]) for key in ("version", "image", "digest") if service.get(key))
    return {key: value for key, value in told.items() if value}


def _properties(verdict: Verdict) -> bytes:
    rows = [f"{key.replace(' ', '_')} = {_escaped(value)}" for key, value in environment(verdict).items()]
    return ("\n".join(rows) + "\n").encode("ascii")


def categories() -> list[dict[str, Any]]:
    """How the report groups what did not pass, by status."""
    return [
        {"name": "Refuted: the release did not do what must hold", "matchedStatuses": ["failed"]},
        {"name": "Broken: the harness could not ask", "matchedStatuses": ["broken"]},
        {"name": "Skipped: a prerequisite failed, or the target does not have it", "matchedStatuses": ["skipped"]},
    ]


def results(verdict: Verdict, bundle: Bundle, raw: Mapping[str, bytes]) -> dict[str, bytes]:
    """The result files to render, by name: allure-pytest's (`raw`) under our outcomes, the sign-off, the metadata."""
    seen = _raw_results(raw)
    files: dict[str, bytes] = {}
    starts = []
    for check in checks(bundle):
        result, attached = _check_result(check, verdict, bundle, seen.get(check.nodeid, {}))
        for row in result["attachments"]:
            if row["source"] in raw:
                files[row["source"]] = raw[row["source"]]
        files |= attached
        files[f"{result['uuid']}-result.json"] = canonical(result).encode()
        starts.append(result["start"])
    result, attached = _sign_off(verdict, bundle, min(starts, default=_milliseconds(verdict.run.started)))
    files |= attached
    files[f"{result['uuid']}-result.json"] = canonical(result).encode()
    files["environment.properties"] = _properties(verdict)
    files["categories.json"] = canonical(categories(), indent=2).encode()
    executor = {
        "name": f"airworthy {verdict.run.harness_version}".strip(),
        "type": "airworthy",
        "buildName": verdict.run.id,
    }
    files["executor.json"] = canonical(executor, indent=2).encode()
    return files


def variables(verdict: Verdict) -> dict[str, str]:
    """The rows at the very top of the report: at most eight, short."""
    standings = [item.standing for item in verdict.checklist]
    passed = sum(check.outcome is Outcome.PASSED for check in verdict.checks)
    first = lead(verdict)
    return {
        "Verdict": str(verdict.verdict),
        "Release": one_line(verdict.target.name, 38),
        "Items": f"{standings.count(Standing.VERIFIED)} of {len(standings)} verified",
        "Refuted": str(standings.count(Standing.REFUTED)),
        "Unverified": str(standings.count(Standing.UNVERIFIED)),
        "Checks": f"{passed} of {total_checks(verdict)} passed",
        "Look first at": one_line(first.component, 38),
        "Duration": duration(verdict.run.duration_s),
    }


def _gate(item: ItemResult) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": item.title if item.required else f"{item.title} (not required)",
        "verified": item.standing is Standing.VERIFIED,
        "told": f"{item.passed} of {len(item.checks)} checks passed",
        "because": f"{item.standing}: {one_line(item.because or '', 240)}",
    }


_CONFIG = """// Made from the verdict: the checklist as quality gates, the verdict as the first rows of the report.
const gates = %(gates)s;
const rule = (gate) => ({
  rule: gate.title,
  message: () => gate.because,
  successMessage: () => gate.told,
  validate: async ({ trs }) => ({
    success: gate.verified,
    actual: gate.told,
    testResults: trs
      .filter((tr) => tr.labels.some((label) => label.name === "readiness" && label.value === gate.id))
      .map((tr) => tr.id),
  }),
});
export default {
  name: %(name)s,
  output: %(output)s,
  variables: %(variables)s,
  categories: %(categories)s,
  qualityGate: { rules: gates.map((gate) => ({ [gate.title]: true })), use: gates.map(rule) },
  plugins: { awesome: { options: { singleFile: true, reportName: %(name)s, groupBy: ["feature"], defaultSortBy: "name,asc", reportLanguage: "en" } } },
};
"""


def config(verdict: Verdict, output: str) -> str:
    """allurerc.mjs: one self-contained page into the folder `output`, one gate for each checklist item."""
    groups = [{"name": row["name"], "matchers": [{"statuses": row["matchedStatuses"]}]} for row in categories()]
    gates = [_gate(item) for item in verdict.checklist]
    gates.sort(key=lambda gate: bool(gate["verified"]))
    return _CONFIG % {
        "gates": json.dumps(gates, indent=2),
        "name": json.dumps(f"{verdict.verdict}: {verdict.target.name or 'unnamed deployment'}"),
        "output": json.dumps(output),
        "variables": json.dumps(variables(verdict), indent=2),
        "categories": json.dumps(groups, indent=2),
    }


def links(bundle: Bundle) -> dict[str, str]:
    """The fragment of every check that there is, by node id; only those that ran have a page."""
    ran = {check.nodeid for check in checks(bundle)}
    return {entry.nodeid: link(entry.nodeid) for entry in inventory(bundle) if entry.nodeid in ran}
