"""What was kept is read back as it was written, and what was tampered with is not."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.journal import Journal
from fixtures.redactor import Redactor
from reports.evidence import Bundle, BundleError, canonical, load, parse_event, rounded


def kept(folder: Path) -> Path:
    """A bundle of three events, one with a blob."""
    journal = Journal(folder / "evidence", Redactor())
    journal.record("run.started", "r1", None, {"started": "now"})
    journal.record("log", "api", None, {"lines": 1}, {"log": b"one line\n"})
    journal.record("container", "api", {"moment": "end"}, {"status": "running", "seconds": 1.23456})
    journal.close()
    return folder / "evidence"


def test_a_bundle_reads_back_as_it_was_written(tmp_path: Path) -> None:
    """Kinds, subjects, order, blobs."""
    bundle = load(kept(tmp_path))

    assert [event.ref for event in bundle.events] == ["e1", "e2", "e3"]
    assert bundle.blob(bundle.of("log")[0].blobs[0]) == b"one line\n"
    assert bundle.at(3) == bundle.last("container", "api") == bundle.of("container", "log")[-1]
    assert bundle.at(4) is bundle.last("container", "db") is None
    assert bundle.at(3).response["seconds"] == 1.235  # type: ignore[union-attr]
    bundle.check_blobs()


def test_texts_may_hold_any_character(tmp_path: Path) -> None:
    """Line separators of Unicode do not end an event."""
    journal = Journal(tmp_path / "evidence", Redactor())
    journal.record("http", "GET /", None, {"body": "a\u2028b\u0085c\x0bd"})
    journal.close()

    assert load(tmp_path).events[0].response["body"] == "a\u2028b\u0085c\x0bd"


def test_the_run_folder_names_its_evidence(tmp_path: Path) -> None:
    """`judge reports/out` and `judge reports/out/evidence` are the same."""
    folder = kept(tmp_path)

    assert load(tmp_path).sha256 == load(folder).sha256


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_bundle_that_lost_a_line_is_refused(tmp_path: Path, line: int) -> None:
    """Evidence with a gap is no evidence; a lost end cannot be seen here, and the judge finds no end of the run."""
    path = kept(tmp_path) / "journal.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([*lines[:line], *lines[line + 1 :]]), encoding="utf-8")

    if line == 2:
        assert len(load(tmp_path).events) == 2
    else:
        with pytest.raises(BundleError, match="lines were lost"):
            load(tmp_path)


def test_a_line_that_is_no_event_is_named(tmp_path: Path) -> None:
    """File and line, not a traceback."""
    path = kept(tmp_path) / "journal.jsonl"
    path.write_text(path.read_text(encoding="utf-8") + "{}\n", encoding="utf-8")

    with pytest.raises(BundleError, match=r"journal\.jsonl:4"):
        load(tmp_path)


def test_changed_and_missing_blobs_are_named(tmp_path: Path) -> None:
    """A blob is named by its hash; other bytes are not it."""
    blob = next((kept(tmp_path) / "blobs").iterdir())
    blob.write_bytes(b"two lines\n")
    with pytest.raises(BundleError, match="not the bytes"):
        load(tmp_path).check_blobs()
    blob.unlink()
    with pytest.raises(BundleError, match="is missing"):
        load(tmp_path).check_blobs()


def test_a_folder_without_evidence_is_refused(tmp_path: Path) -> None:
    """One line that says what to give."""
    with pytest.raises(BundleError, match="no evidence here"):
        load(tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_canonical_json_is_stable(value: object) -> None:
    """Writing what was read gives the same bytes."""
    assert canonical(json.loads(canonical(value))) == canonical(value)


def test_a_blob_is_named_sized_and_typed_in_its_event(tmp_path: Path) -> None:
    """An event reads back from its own line; without a folder there are no bytes."""
    event = load(kept(tmp_path)).of("log")[0]
    (blob,) = event.blobs

    assert (blob.name, blob.size, blob.media) == ("log", 9, "text/plain")
    assert parse_event(event.to_line(), "here") == event
    with pytest.raises(BundleError, match="blob log: this bundle has no folder"):
        Bundle((event,)).blob(blob)


@pytest.mark.parametrize("line", ["", "null", "[]", "{}", '{"seq": 1, "blobs": [1]}'])
def test_what_is_no_event_says_where_it_stands(line: str) -> None:
    """Whatever it is instead."""
    with pytest.raises(
        BundleError, match=r"^here: not a journal event \(.+\); the bundle was cut or edited$"
    ) as caught:
        parse_event(line, "here")

    assert caught.value.__cause__ is not None


def test_canonical_json_is_sorted_short_and_readable() -> None:
    """Three decimals at any depth; keys are texts; no character is escaped; indented where people read it."""
    value = {"b": [1.23456, (2.0, {3: 0.00049})], "a": "ä"}

    assert rounded(value) == {"b": [1.235, [2.0, {"3": 0.0}]], "a": "ä"}
    assert canonical(value) == '{"a":"ä","b":[1.235,[2.0,{"3":0.0}]]}'
    assert canonical({"a": [1], "b": 2}, indent=1) == '{\n "a": [\n  1\n ],\n "b": 2\n}'


def test_an_event_out_of_its_place_is_named(tmp_path: Path) -> None:
    """Which it is, and which must be there."""
    path = kept(tmp_path) / "journal.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([lines[0], lines[2], lines[1]]), encoding="utf-8")

    with pytest.raises(BundleError, match=r"journal\.jsonl: event e3 where e2 must be; lines were lost or moved"):
        load(tmp_path)


def test_events_of_several_kinds_keep_their_order(tmp_path: Path) -> None:
    """The last of a kind is the last told, whatever its subject unless one is asked for."""
    journal = Journal(tmp_path / "evidence", Redactor())
    for kind, subject in (("log", "api"), ("http", "GET /"), ("log", "db"), ("log", "api")):
        journal.record(kind, subject, None, {})
    journal.close()
    bundle = load(tmp_path)

    assert [event.seq for event in bundle.of("log", "http")] == [1, 2, 3, 4]
    assert [event.seq for event in bundle.of("log")] == [1, 3, 4]
    assert bundle.of("exec") == bundle.of() == ()
    assert (bundle.last("log"), bundle.last("log", "db")) == (bundle.at(4), bundle.at(3))
