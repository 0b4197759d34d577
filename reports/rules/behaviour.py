"""Rules about how services behave: what failed checks stated, and what the definition itself says."""

from collections.abc import Iterator

from reports.causes import HOST, Confidence, Diagnosis, diagnosis, known
from reports.rules.seen import Fact, Rule, Seen
from reports.wiring import Kind

WITHIN_IMAGE = {
    "module-missing",
    "image-stale",
    "source-mounted",
    "version-wrong",
    "setting-missing",
    "runs-as-root",
    "port-undeclared",
}
REFUSED_AS_FUNCTION = "python_model"
"""MLflow's word for what its pyfunc flavour wants; in an answer to a registration of another flavour it hides the first error."""


NO_MODELS = {"junk", "none"}
"""Kinds of a probe's model that every flavour refuses."""


def component_of(seen: Seen, fact: Fact) -> str:
    """The service that misbehaves: the one the fact names, else by the role that the cause is about."""
    told = str(fact.parameters.get("service") or "")
    if fact.cause == "bucket-public":
        # who opens it, where the definition says so; else the store that lets anyone in
        opened = (event for event in seen.bundle.of("finding") if event.subject == "bucket-public")
        by_definition = next((str(event.response.get("service") or "") for event in opened), "")
        return by_definition or seen.of_role("object-store") or HOST
    if fact.cause in {"artifact-differs", "artifact-missing"} and (meddler := _speaks_of(seen, fact)):
        return meddler
    by_layer = {"object-store": "object-store", "queue": "queue"}
    role = by_layer.get(known()[fact.cause].layer, "registry")
    if told in seen.services or (told and not seen.services):
        return told
    return seen.of_role(told) or seen.of_role(role) or seen.of_role("registry") or HOST


def _speaks_of(seen: Seen, fact: Fact) -> str:
    """A service that asks the store too, is none of those that a registration goes through, and wrote of this very file; empty for none."""
    file = str(fact.parameters.get("path") or "").rpartition("/")[2]
    others = sorted({link.caller for link in seen.links if link.kind is Kind.STORE})
    strangers = [name for name in others if seen.roles.get(name) not in {"registry", "tracking"}]
    return next((name for name in strangers if file and any(file in line for line in seen.log(name)[0])), "")


def misbehaves(seen: Seen) -> Iterator[Diagnosis]:
    """A failed check observed in what way the target misbehaves; facts that agree are one diagnosis."""
    for cause in dict.fromkeys(fact.cause for fact in seen.facts if fact.cause in known()):
        facts = [fact for fact in seen.facts if fact.cause == cause]
        for key in dict.fromkeys((component_of(seen, fact), _core(fact)) for fact in facts):
            alike = [fact for fact in facts if (component_of(seen, fact), _core(fact)) == key]
            evidence = tuple(seq for fact in alike for seq in (fact.check.seq, *fact.check.evidence))
            parameters = {name: value for fact in reversed(alike) for name, value in fact.parameters.items()}
            explains = tuple(dict.fromkeys(fact.check.nodeid for fact in alike))
            yield diagnosis(
                cause, key[0], evidence=evidence, parameters={**parameters, "service": key[0]}, explains=explains
            )


def _core(fact: Fact) -> tuple[str, ...]:
    """The parameters that make two facts different causes."""
    names = ("claim", "contract", "key", "route", "setting", "module", "path")
    return tuple(str(fact.parameters.get(name) or "") for name in names)


def flavour_fallback_masks(seen: Seen) -> Iterator[Diagnosis]:
    """A registration was answered with pyfunc's refusal of something that is no function: the first error is hidden."""
    registry = seen.of_role("registry")
    cited = {seq: check.nodeid for check in seen.failed for seq in check.evidence}
    for event in seen.bundle.of("probe"):
        error = (event.response or {}).get("error") or {}
        asked = ((event.request or {}).get("args") or {}).get("model") or {}
        # only what a failed check saw; and what is no model at all, pyfunc refuses rightly
        if event.seq not in cited or asked.get("kind") in NO_MODELS:
            continue
        called = str((event.request or {}).get("call") or event.subject)
        chain = error.get("chain") or []
        if registry and "register" in called and REFUSED_AS_FUNCTION in str(error.get("message")):
            if not chain:
                given = {"flavor": asked.get("kind"), "service": registry}
                yield diagnosis(
                    "flavor-refused", registry, evidence=(event.seq,), parameters=given, explains=(cited[event.seq],)
                )
                return
            first = chain[-1] if chain else {}
            masked = f"{first.get('type')}: {first.get('message')}"[:200] if first else "the flavour's own error"
            given = {"masked": masked, "shown": str(error.get("message"))[:120]}
            explains = (cited[event.seq],)
            yield diagnosis("error-masked", registry, evidence=(event.seq,), parameters=given, explains=explains)
            return


def definition_is_unfit(seen: Seen) -> Iterator[Diagnosis]:
    """The definition holds what must not ship, whatever happens when it runs."""
    for event in seen.bundle.of("finding"):
        told = event.response
        if told.get("severity") == "error":
            given = {"finding": told.get("summary"), "remedy": told.get("remedy"), "id": event.subject}
            yield diagnosis(
                "unfit-definition", str(told.get("service") or HOST), evidence=(event.seq,), parameters=given
            )


def unexplained(seen: Seen) -> Iterator[Diagnosis]:
    """A check failed and no rule knows why: the narrowest component, and what was seen."""
    for check in seen.failed:
        asked = [name for role in seen.needs.get(check.nodeid, ()) if (name := seen.of_role(role))]
        registry = seen.of_role("registry")
        component = asked[0] if len(set(asked)) == 1 else registry or HOST
        given = {"seen": check.first_line or check.title}
        yield diagnosis(
            "unknown",
            component,
            evidence=(check.seq, *check.evidence),
            parameters=given,
            confidence=Confidence.UNKNOWN,
            explains=(check.nodeid,),
        )


RULES = (
    Rule("a service misbehaves", ("check",), lambda seen: seen.facts, misbehaves),
    Rule("a fallback masks an error", ("probe",), lambda seen: seen.failed, flavour_fallback_masks),
    Rule("the definition is unfit", ("finding",), lambda _: True, definition_is_unfit),
)
UNEXPLAINED = Rule("nothing explains a failure", ("check",), lambda seen: seen.failed, unexplained)
