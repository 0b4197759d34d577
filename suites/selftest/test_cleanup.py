"""What dead runs left, as the engine tells it."""

import subprocess

import pytest

from fixtures import cleanup
from fixtures.cleanup import Left, things

LISTED = "4be1c3\n9a20f7\n"
LEFT = '/airworthy-1127-1-api {"airworthy.owner":"812-99-5f0c","airworthy.run":"1127-1"}\n'


@pytest.mark.parametrize(
    ("inspected", "found"),
    [
        # docker inspect --format answers with an empty line where nothing is left of what was listed
        pytest.param("\n", [], id="all of it vanished meanwhile"),
        pytest.param(LEFT, [Left("container", "airworthy-1127-1-api", "812-99-5f0c", keep=False)], id="one is left"),
    ],
)
def test_what_vanished_since_it_was_listed_is_left_out(
    monkeypatch: pytest.MonkeyPatch, inspected: str, found: list[Left]
) -> None:
    """A run that ends beside this one takes its things away between two questions to the engine."""
    answers = iter([LISTED, inspected])
    monkeypatch.setattr(cleanup, "docker", lambda *asked: subprocess.CompletedProcess(asked, 0, next(answers), ""))

    assert things("container") == found
