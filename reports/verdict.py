"""verdict.json: the verdict as a public, versioned contract, in canonical bytes."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from reports.causes import Diagnosis
from reports.evidence import canonical, rounded
from reports.judge import Finding, ItemResult, Run, Target, Verdict
from reports.known_warnings import Warned
from reports.outcomes import Check
from reports.performance import Metric

SCHEMA = "airworthy/verdict/1"
SCHEMA_FILE = Path(__file__).with_name("verdict.schema.json")


def refs(seqs: tuple[int, ...]) -> list[str]:
    """Event numbers as references: `e<seq>`."""
    return [f"e{seq}" for seq in seqs]


def _present(**optional: Any) -> dict[str, Any]:
    return {key: value for key, value in optional.items() if value is not None}


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "started": run.started,
        "duration_s": run.duration_s,
        "harness_version": run.harness_version,
        "argv": list(run.argv),
        "host": dict(run.host),
        "partial": run.partial,
        "selection": run.selection,
        "exit": int(run.exit),
        "bundle_sha256": run.bundle_sha256,
    }


def _target(target: Target) -> dict[str, Any]:
    keys = ("role", "image", "digest", "version")
    return {
        "kind": target.kind,
        "name": target.name,
        "environment": target.environment,
        "commit": target.commit,
        "services": {name: {key: seen.get(key) for key in keys} for name, seen in target.services.items()},
        "rewrites": [dict(row) for row in target.rewrites],
    }


def _item(item: ItemResult) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": item.title,
        "required": item.required,
        "standing": item.standing.value,
        "checks": list(item.checks),
        "evidence": refs(item.evidence),
        **_present(because=item.because),
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "nodeid": check.nodeid,
        "item": check.item,
        "outcome": check.outcome.value,
        "duration_s": check.duration_s,
        "evidence": refs(check.evidence),
        **_present(message=check.message, because=check.because),
    }


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "cause": diagnosis.cause,
        "parameters": dict(diagnosis.parameters),
        "layer": diagnosis.layer,
        "component": diagnosis.component,
        "summary": diagnosis.summary,
        "remedy": diagnosis.remedy,
        "confidence": diagnosis.confidence.value,
        "evidence": refs(diagnosis.evidence),
        "explains": list(diagnosis.explains),
        **_present(patch=diagnosis.patch),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "severity": finding.severity,
        "file": finding.file,
        "line": finding.line,
        "summary": finding.summary,
        "remedy": finding.remedy,
    }


def _warned(warned: Warned) -> dict[str, Any]:
    return {"source": warned.source, "text": warned.text, "count": warned.count, **_present(rule=warned.rule)}


def _metric(metric: Metric) -> dict[str, Any]:
    return {
        "metric": metric.metric,
        "unit": metric.unit,
        "n": metric.n,
        "p50": metric.p50,
        "p95": metric.p95,
        "p99": metric.p99,
        "budget": metric.budget,
        "standing": metric.standing.value,
        "calibration": metric.calibration,
    }


def document(verdict: Verdict) -> dict[str, Any]:
    """The verdict as the JSON value of the contract."""
    value = {
        "schema": SCHEMA,
        "verdict": verdict.verdict.value,
        "run": _run(verdict.run),
        "target": _target(verdict.target),
        "checklist": [_item(item) for item in verdict.checklist],
        "checks": [_check(check) for check in verdict.checks],
        "diagnoses": [_diagnosis(diagnosis) for diagnosis in verdict.diagnoses],
        "findings": [_finding(finding) for finding in verdict.findings],
        "warnings": {
            "expected": [_warned(warned) for warned in verdict.warnings.expected],
            "unexpected": [_warned(warned) for warned in verdict.warnings.unexpected],
        },
        "performance": [_metric(metric) for metric in verdict.performance],
        "waivers": [],
    }
    plain: dict[str, Any] = rounded(value)
    return plain


def to_bytes(verdict: Verdict) -> bytes:
    """verdict.json: the same verdict is always the same bytes."""
    return (canonical(document(verdict), indent=2) + "\n").encode()


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def validate(verdict: bytes | str | Mapping[str, Any]) -> list[str]:
    """What of a verdict.json is against its schema, one line each; empty when nothing is."""
    if isinstance(verdict, bytes | str):
        try:
            verdict = json.loads(verdict)
        except ValueError as error:
            return [f"verdict.json: not JSON ({error})"]
    errors = sorted(_validator().iter_errors(verdict), key=lambda error: [str(part) for part in error.absolute_path])
    return [f"verdict.json: {'/'.join(str(part) for part in error.absolute_path)}: {error.message}" for error in errors]
