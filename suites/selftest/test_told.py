"""What is said of every story and of every kept bundle is known to the word."""

import pytest

from suites.selftest.told import FILE, bundles, lines

RECORDED = {block.split("\n", 1)[0]: block for block in FILE.read_text(encoding="utf-8").split("\n\n")}
BUNDLES = dict(bundles())


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_is_diagnosed_in_the_recorded_words(name: str) -> None:
    """No cause, no remedy, no patch changes unseen; see told.py for how to record anew."""
    assert "\n".join(lines(name, BUNDLES[name])).strip("\n") == RECORDED[f"[{name}]"].strip("\n")


def test_nothing_is_recorded_of_what_is_gone() -> None:
    """What became superfluous is removed."""
    assert set(RECORDED) == {f"[{name}]" for name in BUNDLES}
