"""What is written of a run is known to the byte."""

import pytest

from suites.selftest.recorded import FOLDER, RENDERINGS, RUNS, rendering


@pytest.mark.parametrize("name", RENDERINGS)
@pytest.mark.parametrize("run", RUNS)
def test_a_known_run_is_told_as_it_was_recorded(run: str, name: str) -> None:
    """No word for a person, no key for a machine changes unseen; see recorded.py for how to record anew."""
    assert rendering(run, name) == (FOLDER / run / name).read_text(encoding="utf-8")


def test_nothing_is_recorded_that_no_run_renders() -> None:
    """What became superfluous is removed."""
    kept = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}

    assert kept == {f"{run}/{name}" for run in RUNS for name in RENDERINGS}
