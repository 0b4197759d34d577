"""Rules about what stands between a caller and the service that it means: what fails through it, and holds past it, is its doing."""

import re
from collections.abc import Iterator
from typing import Any

from reports.causes import Confidence, Diagnosis, diagnosis
from reports.rules.dependencies import OWN_ROLES, is_between
from reports.rules.pressure import full_disk_told, of_gateway
from reports.rules.seen import Rule, Rung, Seen
from reports.wiring import Kind

CODES = {
    "SignatureDoesNotMatch": "signature-broken",
    "AccessDenied": "header-stripped",
    "InvalidAccessKeyId": "header-stripped",
    "NOAUTH": "header-stripped",
    "content-differs": "response-cut",
    "list-differs": "response-cached",
    "answer-differs": "response-cached",
    "search-differs": "response-cached",
    "not-json": "response-not-json",
    "tls": "tls-not-spoken",
    "closed": "gateway-failing",
    "silent": "gateway-failing",
    "refused": "gateway-failing",
    "status-401": "header-stripped",
    "status-413": "body-too-large",
    "status-502": "gateway-failing",
    "status-503": "gateway-failing",
    "status-504": "gateway-failing",
}
"""How a rung broke through something that it does not break past -> what that something does."""


def fails_only_through_another(seen: Seen) -> Iterator[Diagnosis]:
    """The same question, with the same keys from the same place, is answered rightly past the service between."""
    for rung in seen.rungs:
        past = {one.name: one for one in seen.around(rung)} if not rung.ok and rung.code != "broken" else {}
        direct = past.get(rung.name)
        if direct is None or not direct.ok or rung.target is None:
            continue
        cause, given = cause_of(rung), told(rung, direct)
        line = full_disk_told(seen, rung.target) if cause == "gateway-failing" else ""
        if line:
            cause, given = "scratch-full", given | {"path": _path_in(line), "reason": line[:200]}
        cited = (rung.seq, direct.seq)
        yield diagnosis(of_gateway(seen, rung.target, cause), rung.target, evidence=cited, parameters=given)


def _path_in(line: str) -> str:
    """The file that could not be written, as a log's line names it."""
    found = re.search(r"(?<![\w/.])/[\w./-]+", line.partition("No space")[0])
    return found[0] if found else "its folder for what it buffers"


def cause_of(rung: Rung) -> str:
    """What the service between does, by how the question broke."""
    return CODES.get(rung.code) or _by_status(int(rung.facts.get("status") or 0))


def _by_status(status: int) -> str:
    if 300 <= status < 400:
        return "response-not-json"
    by_rule = "request-refused" if 400 <= status < 500 else "gateway-failing"
    return CODES.get(f"status-{status}", by_rule)


def told(rung: Rung, direct: Rung) -> dict[str, Any]:
    """What a diagnosis of a service between says."""
    asked = (
        f"{rung.facts.get('method') or rung.facts.get('operation') or rung.name} {rung.facts.get('path') or ''}".strip()
    )
    return {
        "target": rung.target,
        "service": rung.position,
        "behind": direct.target,
        "status": rung.facts.get("status") or rung.code,
        "request": asked,
        "path": asked,
        "size": rung.facts.get("bytes") or 250_000,
        "header": "Authorization",
        "what": "the Host header or the path",
        "media": rung.facts.get("media") or rung.facts.get("location"),
        "setting": rung.setting,
        "host": rung.link.get("host"),
        "port": rung.link.get("port"),
    }


def refuses_of_its_own(seen: Seen) -> Iterator[Diagnosis]:
    """A store's address answers with a gateway's status and not in the store's own words, and no way past it is known."""
    for rung in seen.broken("store.bucket", "store.objects"):
        if rung.code.startswith("status-") and int(rung.facts.get("status") or 0) >= 300:
            cause = cause_of(rung)
            if rung.target and seen.roles.get(rung.target) != "object-store":
                yield diagnosis(
                    cause, rung.target, evidence=(rung.seq,), parameters=told(rung, rung), confidence=Confidence.LIKELY
                )


SILENT = frozenset({"closed", "silent"})


def passes_on_to_nobody(seen: Seen) -> Iterator[Diagnosis]:
    """What takes the connections for another closes them, or keeps them, before that other said a word: it has none to pass on to."""
    for rung in seen.broken("database.login", "queue.login", "store.bucket", "tracking.read"):
        role = seen.roles.get(rung.target or "")
        if rung.code in SILENT and rung.target and role not in {None, str(rung.link.get("kind")), *OWN_ROLES}:
            yield diagnosis(
                "gateway-failing",
                rung.target,
                evidence=(rung.seq,),
                parameters=told(rung, rung),
                confidence=Confidence.LIKELY,
            )


IN_A_CALL = re.compile(
    r"API request to (?:endpoint )?(?P<path>\S+) failed with error code (?P<status>\d{3}).*?Response body: '\s*<",
    re.DOTALL,
)
"""How MLflow's client tells a refusal that is a page (mlflow/utils/rest_utils.py): its server refuses in JSON."""


def refuses_in_a_call(seen: Seen) -> Iterator[Diagnosis]:
    """A call of the registry ended with a page of refusal in place of MLflow's own answer, and a service between stands on its way."""
    for link in seen.links:
        asks = link.kind is Kind.TRACKING and link.caller == seen.of_role("registry")
        if not asks or not is_between(seen, link.target):
            continue
        for event, error in seen.raised_inside:
            found = IN_A_CALL.search(str(error.get("message")))
            if found is None:
                continue
            status, path = int(found["status"]), found["path"]
            given = {"target": link.target, "service": link.caller, "status": status, "request": path, "path": path}
            cause, sure = of_gateway(seen, link.target, _by_status(status)), Confidence.LIKELY
            yield diagnosis(cause, str(link.target), evidence=(event.seq,), parameters=given, confidence=sure)
            return


def path_is_wrong(seen: Seen) -> Iterator[Diagnosis]:
    """A caller's address holds a path under which nothing answers, while the API does without it."""
    for rung in seen.broken("tracking.read", "tracking.write", "tracking.routes"):
        if rung.code == "path-prefix":
            given = {"setting": rung.setting, "path": rung.facts.get("prefix"), "target": rung.about}
            yield diagnosis("path-prefix-wrong", rung.position, evidence=(rung.seq,), parameters=given)


def _climbed(seen: Seen) -> bool:
    return any(not rung.ok for rung in seen.rungs)


RULES = (
    Rule("it fails only through another service", ("rung",), _climbed, fails_only_through_another),
    Rule("a gateway refuses of its own accord", ("rung",), _climbed, refuses_of_its_own),
    Rule("a gateway passes on to nobody", ("rung",), _climbed, passes_on_to_nobody),
    Rule("a gateway refuses a call", ("probe",), lambda seen: seen.raised_inside, refuses_in_a_call),
    Rule("a path in an address is wrong", ("rung",), _climbed, path_is_wrong),
)
