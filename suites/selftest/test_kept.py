"""Every rule is tried on the kept evidence of every fault: it explains its own, and proves nothing false of another."""

from functools import cache

import pytest

from faults import kept, record
from faults.corpus import Kind, load
from reports.causes import Confidence, Diagnosis
from reports.diagnosis import diagnose, rulings
from reports.rules.seen import Ended

BUNDLES = {
    fault.id: (fault, bundle)
    for fault in load()
    if fault.kind is Kind.FAULT and (bundle := kept.load(fault.folder)) is not None
}
KNOWN = record.load()


@cache
def found(name: str) -> tuple[Diagnosis, ...]:
    """What the diagnosis says of a fault's bundle."""
    return diagnose(BUNDLES[name][1])


@pytest.mark.parametrize("name", BUNDLES)
def test_kept_evidence_is_small_and_diagnosed_as_it_was(name: str) -> None:
    """At most 50 KB; and what the record says that the run was diagnosed as, its kept evidence still is, or better."""
    fault, _ = BUNDLES[name]
    size = (fault.folder / kept.NAME).stat().st_size
    first = found(name)[0]
    then = KNOWN[name]["latest"]["diagnoses"][0]
    right = {one.cause for one in fault.expect}

    assert size <= kept.LIMIT
    assert first.cause in right or (first.cause, first.component) == (then["cause"], then["component"])


def test_the_rules_of_all_evidence_are_told() -> None:
    """Each rule ends in a stated way on each bundle; most bundles make some rule fire and most rules say nothing."""
    for _, bundle in BUNDLES.values():
        ended = [ruling.ended for ruling in rulings(bundle)]
        assert set(ended) <= set(Ended)
        assert ended.count(Ended.FIRED) < len(ended) / 2


@pytest.mark.parametrize("name", BUNDLES)
def test_each_rule_explains_its_own_fault_and_no_other(name: str) -> None:
    """What is proven of a bundle is what was planted in it, or what its definition says for all to read."""
    fault, _ = BUNDLES[name]
    proven = {entry.cause for entry in found(name) if entry.confidence is Confidence.PROVEN}

    assert proven <= {one.cause for one in fault.expect} | {"unfit-definition"}
